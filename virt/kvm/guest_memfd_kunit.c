// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of guest_memfd: when pages are given to a guest and taken back,
 * and how long files, bindings and VMs live.
 *
 * Both the VM and the architecture are fake.  The fake architecture keeps an
 * account of the pages that the guest has been given, by kvm_gmem_hooks or by
 * the callback of kvm_gmem_populate(), and fails on request.  It insists that
 * a page is given at most once until it is taken back, and is taken back once.
 *
 * The VM's memslots are found by frame, but not by id: they count as slots that
 * are not installed yet, of which the real architecture has nothing to unmap.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/kthread.h>
#include <linux/kvm_host.h>
#include <linux/mman.h>
#include <linux/moduleparam.h>
#include <linux/pagemap.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/rbtree.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/swap.h>
#include <linux/task_work.h>
#include <linux/workqueue.h>

#include "guest_memfd.h"
#include "kvm_mm.h"

const struct kvm_gmem_hooks *kvm_gmem_test_hooks;

static unsigned int seed;
module_param_named(gmem_test_seed, seed, uint, 0444);
MODULE_PARM_DESC(gmem_test_seed, "Seed of the random guest_memfd tests");

#define NR_SLOTS	4
#define NR_FILES	2
#define BLOCK_PAGES	KVM_GMEM_BLOCK_PAGES
#define NR_PAGES	16		/* of a file, where nothing else is said */

#define VM_REFS		1000		/* so that the fake is never destroyed */
#define FAILURE		(-EREMOTEIO)	/* nothing else returns it */
#define SPOILED		0xa5
#define STAMP		0x67756573746d6664ull

struct fake {
	struct kunit *test;
	struct kvm *kvm;
	struct kvm_memory_slot slots[NR_SLOTS];
	struct file *files[NR_FILES];
	struct mm_struct *mm;		/* the source of populating */
	unsigned long src;

	struct mutex lock;		/* for the rest */
	struct xarray given;		/* by pfn: given to the guest as this gfn */
	struct xarray seen;		/* by pfn: has ever been offered, page kept */
	bool reuse;			/* do not keep pages */
	int nr_given;
	int calls;			/* giving, whether it failed or not */
	int fail_in;			/* the call that will fail, 0 for none */
	bool fail_for_good;		/* and the page cannot come back */
	int signal_in;			/* the call that a signal will follow */
	gfn_t next_gfn;			/* the frame to be populated next */
	struct file *hole_in;		/* punched while it is populated */
	struct work_struct hole;
	int in_progress;		/* invalidations, when a page was taken */
};

/* The hooks are not told who uses them.  KUnit runs one case at a time. */
static struct fake *fake;

/* ---- The architecture ---- */

/* A page that is kept cannot come back as another one of the guest's. */
static void keep_page(struct fake *f, struct page *page)
{
	if (f->reuse || xa_load(&f->seen, page_to_pfn(page)))
		return;

	get_page(page);
	xa_store(&f->seen, page_to_pfn(page), page, GFP_KERNEL);
}

static bool is_filled(struct page *page, u8 byte)
{
	void *p = kmap_local_page(page);
	bool ret = !memchr_inv(p, byte, PAGE_SIZE);

	kunmap_local(p);
	return ret;
}

static void fill(struct page *page, u8 byte)
{
	memset_page(page, 0, byte, PAGE_SIZE);
}

static int give(struct fake *f, gfn_t gfn, struct page *page)
{
	struct folio *folio = page_folio(page);
	kvm_pfn_t pfn = page_to_pfn(page);

	lockdep_assert_held(&f->lock);

	KUNIT_EXPECT_TRUE(f->test, folio_test_locked(folio));
	KUNIT_EXPECT_FALSE(f->test, folio_test_uptodate(folio));
	KUNIT_EXPECT_NOT_NULL(f->test, folio->mapping);
	keep_page(f, page);

	f->calls++;
	if (f->fail_in && !--f->fail_in) {
		fill(page, SPOILED);
		return FAILURE;
	}

	KUNIT_EXPECT_EQ_MSG(f->test, 0,
			    xa_insert(&f->given, pfn, xa_mk_value(gfn), GFP_KERNEL),
			    "page %llx given again, as frame %llx", pfn, gfn);
	f->nr_given++;
	return 0;
}

static int fake_prepare(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, int order)
{
	struct page *page = pfn_to_page(pfn);
	struct fake *f = fake;
	int r;

	might_sleep();
	mutex_lock(&f->lock);
	KUNIT_EXPECT_PTR_EQ(f->test, kvm, f->kvm);
	KUNIT_EXPECT_EQ(f->test, order, 0);
	KUNIT_EXPECT_TRUE_MSG(f->test, is_filled(page, 0),
			      "frame %llx is prepared without being zeroed", gfn);
	r = give(f, gfn, page);
	mutex_unlock(&f->lock);
	return r;
}

static void fake_invalidate(kvm_pfn_t start, kvm_pfn_t end)
{
	struct fake *f = fake;
	kvm_pfn_t pfn;

	might_sleep();
	mutex_lock(&f->lock);
	KUNIT_EXPECT_GT_MSG(f->test, refcount_read(&f->kvm->users_count), VM_REFS,
			    "pages are taken back after the file's VM has gone");
	f->in_progress = f->kvm->mmu_invalidate_in_progress;
	for (pfn = start; pfn < end; pfn++) {
		bool was_given = xa_erase(&f->given, pfn);

		KUNIT_EXPECT_TRUE_MSG(f->test, was_given,
				      "page %llx taken back, not given", pfn);
		f->nr_given -= was_given;
	}
	mutex_unlock(&f->lock);
}

static const struct kvm_gmem_hooks fake_hooks = {
	.prepare = fake_prepare,
	.invalidate = fake_invalidate,
};

static void write_stamp(struct page *page, u64 stamp)
{
	memcpy_to_page(page, 0, (char *)&stamp, sizeof(stamp));
}

static u64 read_stamp(struct page *page)
{
	u64 stamp;

	memcpy_from_page((char *)&stamp, page, 0, sizeof(stamp));
	return stamp;
}

/* Who comes with a hole now, has to wait before it unmaps anything. */
static void try_hole(struct fake *f)
{
	unsigned long seq = f->kvm->mmu_invalidate_seq;
	unsigned long end = jiffies + HZ / 20;

	queue_work(system_unbound_wq, &f->hole);
	while (time_before(jiffies, end))
		cond_resched();
	KUNIT_EXPECT_EQ(f->test, f->kvm->mmu_invalidate_in_progress, 0);
	KUNIT_EXPECT_EQ(f->test, f->kvm->mmu_invalidate_seq, seq);
}

/* Populates with what is in the source, or with nothing but a stamp. */
static int fake_populate(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn,
			 struct page *src, void *opaque)
{
	struct page *page = pfn_to_page(pfn);
	struct fake *f = opaque;
	int r;

	might_sleep();
	if (f->hole_in)
		try_hole(f);
	mutex_lock(&f->lock);
	KUNIT_EXPECT_PTR_EQ(f->test, kvm, f->kvm);
	KUNIT_EXPECT_EQ(f->test, gfn, f->next_gfn++);
	KUNIT_EXPECT_EQ(f->test, !src, !f->src);
	r = give(f, gfn, page);
	if (r && f->fail_for_good)
		filemap_remove_folio(page_folio(page));
	else if (!r && src)
		copy_highpage(page, src);
	else if (!r)
		write_stamp(page, STAMP + gfn);
	if (f->signal_in && !--f->signal_in)
		send_sig(SIGUSR1, current, 0);
	mutex_unlock(&f->lock);
	return r;
}

/* ---- The VM ---- */

#ifdef CONFIG_X86
/* What the vendor module keeps of a VM is behind what KVM does. */
static size_t fake_arch_vm_size(void)
{
	return max_t(size_t, sizeof(struct kvm), kvm_x86_ops.vm_size);
}

static void fake_arch_init_vm(struct kvm *kvm)
{
	kvm->arch.has_private_mem = true;
}

static int fake_arch_init_slot(struct kvm_memory_slot *slot)
{
	return memslot_rmap_alloc(slot, slot->npages);
}

static void fake_arch_free_slot(struct kvm_memory_slot *slot)
{
	int i;

	for (i = 0; i < KVM_NR_PAGE_SIZES; i++)
		kvfree(slot->arch.rmap[i]);
}
#else
static size_t fake_arch_vm_size(void)
{
	return sizeof(struct kvm);
}

static void fake_arch_init_vm(struct kvm *kvm)
{
}

static int fake_arch_init_slot(struct kvm_memory_slot *slot)
{
	return 0;
}

static void fake_arch_free_slot(struct kvm_memory_slot *slot)
{
}
#endif

static struct kvm *new_vm(void)
{
	struct kvm *kvm = kvzalloc(fake_arch_vm_size(), GFP_KERNEL);

	if (!kvm)
		return NULL;
	if (init_srcu_struct(&kvm->srcu)) {
		kvfree(kvm);
		return NULL;
	}

	KVM_MMU_LOCK_INIT(kvm);
	mutex_init(&kvm->slots_lock);
	refcount_set(&kvm->users_count, VM_REFS);
	kvm_mem_attrs_init(&kvm->mem_attr_array);
	rcu_assign_pointer(kvm->memslots[0], &kvm->__memslots[0][0]);
	fake_arch_init_vm(kvm);
	return kvm;
}

static void free_vm(struct kvm *kvm)
{
	kvm_mem_attrs_destroy(&kvm->mem_attr_array);
	cleanup_srcu_struct(&kvm->srcu);
	kvfree(kvm);
}

static int set_private(struct kvm *kvm, gfn_t start, gfn_t end, bool is_private)
{
	int r;

	mutex_lock(&kvm->slots_lock);
	r = kvm_mem_attrs_set(&kvm->mem_attr_array, start, end,
			      is_private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0);
	mutex_unlock(&kvm->slots_lock);
	return r;
}

static bool slot_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct kvm_memory_slot, gfn_node[0])->base_gfn <
	       rb_entry(b, struct kvm_memory_slot, gfn_node[0])->base_gfn;
}

static void install_slot(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	struct kvm_memslots *slots = __kvm_memslots(kvm, 0);

	slot->flags = KVM_MEM_GUEST_MEMFD;
	rb_add(&slot->gfn_node[0], &slots->gfn_tree, slot_less);
}

static void uninstall_slot(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	struct kvm_memslots *slots = __kvm_memslots(kvm, 0);

	slot->flags = 0;
	rb_erase(&slot->gfn_node[0], &slots->gfn_tree);
	atomic_long_set(&slots->last_used_slot, 0);
}

static bool is_bound(struct kvm_memory_slot *slot)
{
	return rcu_access_pointer(slot->gmem.file);
}

/* Like a memslot that is created: bound first, and then installed. */
static int bind_at(struct fake *f, struct kvm_memory_slot *slot,
		   struct file *file, u64 offset, unsigned long npages)
{
	int r;

	mutex_lock(&f->kvm->slots_lock);
	slot->npages = npages;
	r = kvm_gmem_bind_file(f->kvm, slot, file, offset);
	if (!r)
		install_slot(f->kvm, slot);
	mutex_unlock(&f->kvm->slots_lock);
	return r;
}

static int bind(struct fake *f, int slot, struct file *file, pgoff_t start,
		unsigned long npages)
{
	return bind_at(f, &f->slots[slot], file, (u64)start << PAGE_SHIFT, npages);
}

/* Like a memslot that is deleted.  The file may have been released. */
static void unbind(struct fake *f, int nr)
{
	struct kvm_memory_slot *slot = &f->slots[nr];

	mutex_lock(&f->kvm->slots_lock);
	uninstall_slot(f->kvm, slot);
	kvm_gmem_unbind(slot);
	KUNIT_EXPECT_FALSE(f->test, is_bound(slot));
	mutex_unlock(&f->kvm->slots_lock);
}

static struct file *new_file_with(struct fake *f, int nr, pgoff_t npages,
				  u64 flags)
{
	struct file *file;

	file = kvm_gmem_create_file(f->kvm, (loff_t)npages << PAGE_SHIFT, flags);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(f->test, file);
	f->files[nr] = file;
	return file;
}

static struct file *new_file(struct fake *f, int nr, pgoff_t npages)
{
	return new_file_with(f, nr, npages, 0);
}

/*
 * Put the last reference, and come back when the file has been released.  After
 * a case that was aborted, the task is the one that will be init.
 */
static void release(struct fake *f, int nr)
{
	struct file *file = f->files[nr];

	f->files[nr] = NULL;
	if (current->flags & PF_KTHREAD) {
		__fput_sync(file);
	} else {
		fput(file);
		task_work_run();
	}
}

/* ---- What the cases do and look at ---- */

static int vm_refs(struct fake *f)
{
	return refcount_read(&f->kvm->users_count) - VM_REFS;
}

static gfn_t slot_gfn(struct fake *f, int slot)
{
	return f->slots[slot].base_gfn;
}

/* The guest touches page @nr of @slot.  The page stays in the page cache. */
static int touch(struct fake *f, int slot, unsigned long nr, struct page **page)
{
	struct kvm_memory_slot *s = &f->slots[slot];
	int r, idx, max_order = -1;
	kvm_pfn_t pfn;

	idx = srcu_read_lock(&f->kvm->srcu);
	r = kvm_gmem_get_pfn(f->kvm, s, s->base_gfn + nr, &pfn, &max_order);
	srcu_read_unlock(&f->kvm->srcu, idx);
	if (r)
		return r;

	KUNIT_EXPECT_EQ(f->test, max_order, 0);
	*page = pfn_to_page(pfn);
	KUNIT_EXPECT_EQ(f->test, page_folio(*page)->index, s->gmem.node.start + nr);
	put_page(*page);
	return 0;
}

/* The same, of a file whose pages have to be given to the guest. */
static int fault(struct fake *f, int slot, unsigned long nr, struct page **page)
{
	int r = touch(f, slot, nr, page);

	if (!r)
		KUNIT_EXPECT_NOT_NULL_MSG(f->test,
					  xa_load(&f->given, page_to_pfn(*page)),
					  "page %lu of slot %d is mapped, but not given",
					  nr, slot);
	return r;
}

static long allocate(struct file *file, pgoff_t start, pgoff_t end)
{
	return vfs_fallocate(file, FALLOC_FL_KEEP_SIZE,
			     (loff_t)start << PAGE_SHIFT,
			     (loff_t)(end - start) << PAGE_SHIFT);
}

static long punch(struct file *file, pgoff_t start, pgoff_t end)
{
	return vfs_fallocate(file, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
			     (loff_t)start << PAGE_SHIFT,
			     (loff_t)(end - start) << PAGE_SHIFT);
}

static struct folio *cached(struct file *file, pgoff_t index)
{
	return xa_load(&file->f_mapping->i_pages, index);
}

static bool is_prepared(struct file *file, pgoff_t index)
{
	struct folio *folio = cached(file, index);

	return folio && folio_test_uptodate(folio);
}

/* @calls so far, and @given pages in the guest's hands. */
static void expect_account(struct fake *f, int calls, int given)
{
	KUNIT_EXPECT_EQ_MSG(f->test, f->calls, calls, "calls that give pages");
	KUNIT_EXPECT_EQ_MSG(f->test, f->nr_given, given, "pages given");
}

static u64 src_stamp(unsigned long nr)
{
	return STAMP ^ nr;
}

/* User memory to populate from, each page with a stamp. */
static void new_source(struct fake *f, unsigned long npages)
{
	unsigned long i, failed = 0;

	f->mm = mm_alloc();
	KUNIT_ASSERT_NOT_NULL(f->test, f->mm);
	arch_pick_mmap_layout(f->mm, &current->signal->rlim[RLIMIT_STACK]);

	kthread_use_mm(f->mm);
	f->src = vm_mmap(NULL, 0, npages * PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, 0);
	for (i = 0; i < npages && PAGE_ALIGNED(f->src); i++) {
		u64 stamp = src_stamp(i);

		failed |= copy_to_user((void __user *)(f->src + i * PAGE_SIZE),
				       &stamp, sizeof(stamp));
	}
	kthread_unuse_mm(f->mm);
	KUNIT_ASSERT_TRUE(f->test, PAGE_ALIGNED(f->src) && !failed);
}

static long populate_gfn(struct fake *f, gfn_t gfn, unsigned long src, long n)
{
	long r;

	f->next_gfn = gfn;
	if (f->mm)
		kthread_use_mm(f->mm);
	mutex_lock(&f->kvm->slots_lock);
	r = kvm_gmem_populate(f->kvm, gfn, (void __user *)src, n, fake_populate, f);
	mutex_unlock(&f->kvm->slots_lock);
	if (f->mm)
		kthread_unuse_mm(f->mm);
	return r;
}

/* Pages [start, start + n) of a slot; the source begins at its own first page. */
static long populate(struct fake *f, int slot, unsigned long start, long n)
{
	return populate_gfn(f, slot_gfn(f, slot) + start, f->src, n);
}

static int gmem_test_init(struct kunit *test)
{
	struct fake *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct file *file;
	int i;

	if (!f)
		return -ENOMEM;
	f->test = test;
	f->kvm = new_vm();
	if (!f->kvm)
		return -ENOMEM;

	mutex_init(&f->lock);
	xa_init(&f->given);
	xa_init(&f->seen);
	for (i = 0; i < NR_SLOTS; i++) {
		f->slots[i].id = i;
		f->slots[i].base_gfn = 0x1000 * (i + 1);
	}
	fake = f;
	test->priv = f;
	kvm_gmem_test_hooks = &fake_hooks;

	if (!kvm_arch_has_private_mem(f->kvm))
		kunit_skip(test, "the fake VM has no private memory here");
	file = kvm_gmem_create_file(f->kvm, PAGE_SIZE, 0);
	if (file == ERR_PTR(-ENODEV))
		kunit_skip(test, "KVM is not usable on this machine");
	if (IS_ERR(file))
		return PTR_ERR(file);
	__fput_sync(file);

	return set_private(f->kvm, 0, 0x1000 * (NR_SLOTS + 1), true);
}

/* Nobody but us has a page any more: no reference has been lost. */
static void put_kept_pages(struct fake *f)
{
	unsigned long pfn;
	struct page *page;

	lru_add_drain_all();
	xa_for_each(&f->seen, pfn, page) {
		KUNIT_EXPECT_EQ_MSG(f->test, page_count(page), 1,
				    "references to page %lx, with ours", pfn);
		put_page(page);
	}
	xa_destroy(&f->seen);
}

/* Whatever a case has left is released; then all accounts have to be even. */
static void gmem_test_exit(struct kunit *test)
{
	struct fake *f = test->priv;
	int i;

	if (!f)
		return;

	for (i = 0; i < NR_SLOTS; i++) {
		if (f->slots[i].flags)
			unbind(f, i);
	}
	for (i = 0; i < NR_FILES; i++) {
		if (f->files[i])
			release(f, i);
	}
	if (f->mm)
		mmput(f->mm);

	KUNIT_EXPECT_EQ_MSG(test, f->nr_given, 0, "pages not taken back");
	KUNIT_EXPECT_TRUE(test, xa_empty(&f->given));
	KUNIT_EXPECT_EQ_MSG(test, vm_refs(f), 0, "references to the VM");
	KUNIT_EXPECT_EQ(test, f->kvm->mmu_invalidate_in_progress, 0);
	xa_destroy(&f->given);
	put_kept_pages(f);

	kvm_gmem_test_hooks = NULL;
	fake = NULL;
	free_vm(f->kvm);
}

/* ---- Giving and taking ---- */

static void fault_prepares_once(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	struct page *page, *again;
	int i;

	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 4, 8), 0);
	for (i = 0; i < 8; i++) {
		KUNIT_ASSERT_EQ(test, fault(f, 0, i, &page), 0);
		KUNIT_EXPECT_TRUE(test, is_filled(page, 0));
		expect_account(f, i + 1, i + 1);

		write_stamp(page, STAMP + i);
		KUNIT_ASSERT_EQ(test, fault(f, 0, i, &again), 0);
		KUNIT_EXPECT_PTR_EQ(test, page, again);
		KUNIT_EXPECT_EQ(test, read_stamp(again), STAMP + i);
		expect_account(f, i + 1, i + 1);
	}
	KUNIT_EXPECT_EQ(test, file->f_mapping->nrpages, 8);
}

static void fallocate_prepares_nothing(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	struct page *page;

	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, NR_PAGES), 0);
	KUNIT_EXPECT_EQ(test, allocate(file, 0, NR_PAGES), 0);
	KUNIT_EXPECT_EQ(test, file->f_mapping->nrpages, NR_PAGES);
	expect_account(f, 0, 0);

	KUNIT_ASSERT_EQ(test, fault(f, 0, 3, &page), 0);
	expect_account(f, 1, 1);

	KUNIT_EXPECT_EQ(test, punch(file, 0, 3), 0);
	KUNIT_EXPECT_EQ(test, punch(file, 4, NR_PAGES), 0);
	expect_account(f, 1, 1);
	KUNIT_EXPECT_EQ(test, punch(file, 0, NR_PAGES), 0);
	expect_account(f, 1, 0);
	KUNIT_EXPECT_EQ(test, file->f_mapping->nrpages, 0);
}

static bool is_block(struct file *file, pgoff_t start)
{
	unsigned long i, pfn = folio_pfn(cached(file, start));

	for (i = 0; i < BLOCK_PAGES; i++)
		if (folio_pfn(cached(file, start + i)) != pfn + i)
			return false;
	return IS_ALIGNED(pfn, BLOCK_PAGES);
}

/* What can be one entry is adjacent, also around what has been there before. */
static void fallocate_makes_blocks(struct kunit *test)
{
	struct fake *f = test->priv;
	const pgoff_t end = 4 * BLOCK_PAGES + 3;
	struct file *file = new_file(f, 0, end);
	struct folio *before;
	pgoff_t i;

	KUNIT_ASSERT_EQ(test, allocate(file, BLOCK_PAGES + 7, BLOCK_PAGES + 8), 0);
	before = cached(file, BLOCK_PAGES + 7);

	KUNIT_ASSERT_EQ(test, allocate(file, 2, end), 0);
	KUNIT_EXPECT_EQ(test, file->f_mapping->nrpages, end - 2);
	KUNIT_EXPECT_EQ(test, file_inode(file)->i_blocks,
			(end - 2) * (PAGE_SIZE / 512));
	KUNIT_EXPECT_PTR_EQ(test, cached(file, BLOCK_PAGES + 7), before);
	KUNIT_EXPECT_TRUE(test, is_block(file, 2 * BLOCK_PAGES));
	KUNIT_EXPECT_TRUE(test, is_block(file, 3 * BLOCK_PAGES));
	for (i = 2; i < end; i++) {
		KUNIT_ASSERT_NOT_NULL(test, cached(file, i));
		KUNIT_ASSERT_EQ(test, folio_nr_pages(cached(file, i)), 1);
		KUNIT_ASSERT_FALSE(test, is_prepared(file, i));
		KUNIT_ASSERT_FALSE(test, folio_test_locked(cached(file, i)));
	}

	/* What a hole has taken from a block comes back as before. */
	KUNIT_EXPECT_EQ(test, punch(file, 2 * BLOCK_PAGES + 5, 3 * BLOCK_PAGES), 0);
	KUNIT_EXPECT_TRUE(test, is_block(file, 3 * BLOCK_PAGES));
	KUNIT_EXPECT_EQ(test, allocate(file, 0, end), 0);
	KUNIT_EXPECT_EQ(test, file->f_mapping->nrpages, end);
	KUNIT_EXPECT_EQ(test, punch(file, 0, end), 0);
	KUNIT_EXPECT_EQ(test, file->f_mapping->nrpages, 0);
	expect_account(f, 0, 0);
}

/* Each call fails in its turn; the page it was about is as good as before. */
static void prepare_failures(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	struct page *page;
	int n, i;

	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, NR_PAGES), 0);
	for (n = 1; n <= NR_PAGES; n++) {
		f->calls = 0;
		f->fail_in = n;
		for (i = 0; i < n - 1; i++)
			KUNIT_ASSERT_EQ(test, fault(f, 0, i, &page), 0);
		KUNIT_EXPECT_EQ(test, fault(f, 0, i, &page), FAILURE);
		KUNIT_EXPECT_FALSE(test, is_prepared(file, i));
		expect_account(f, n, n - 1);

		KUNIT_ASSERT_EQ(test, fault(f, 0, i, &page), 0);
		KUNIT_EXPECT_TRUE(test, is_prepared(file, i));
		KUNIT_EXPECT_TRUE(test, is_filled(page, 0));
		expect_account(f, n + 1, n);

		KUNIT_EXPECT_EQ(test, punch(file, 0, NR_PAGES), 0);
		expect_account(f, n + 1, 0);
	}

	f->fail_in = 1;
	KUNIT_EXPECT_EQ(test, fault(f, 0, 0, &page), FAILURE);
	KUNIT_EXPECT_EQ(test, punch(file, 0, 1), 0);
	KUNIT_EXPECT_NULL(test, cached(file, 0));
}

/* Clean and not mapped by a process, and not to be had again nevertheless. */
static void pages_are_not_dropped(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	struct page *page;
	int i;

	/* With references of the fake's or of LRU batches they would stay anyway. */
	f->reuse = true;
	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, NR_PAGES), 0);
	for (i = 0; i < NR_PAGES; i++)
		KUNIT_ASSERT_EQ(test, fault(f, 0, i, &page), 0);
	lru_add_drain_all();

	KUNIT_EXPECT_EQ(test, invalidate_mapping_pages(file->f_mapping, 0, -1), 0);
	KUNIT_EXPECT_EQ(test, file->f_mapping->nrpages, NR_PAGES);
	expect_account(f, NR_PAGES, NR_PAGES);
}

/* The architecture has no part in pages that are the host's as well. */
static void shared_files_have_no_hooks(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file_with(f, 0, NR_PAGES,
					  GUEST_MEMFD_FLAG_MMAP |
					  GUEST_MEMFD_FLAG_INIT_SHARED);
	struct page *page;
	int i;

	KUNIT_ASSERT_EQ(test, allocate(file, 0, NR_PAGES), 0);
	for (i = 0; i < NR_PAGES; i++)
		fill(folio_page(cached(file, i), 0), SPOILED);
	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, NR_PAGES), 0);

	for (i = 0; i < NR_PAGES; i++) {
		KUNIT_ASSERT_EQ(test, touch(f, 0, i, &page), 0);
		KUNIT_EXPECT_TRUE(test, is_filled(page, 0));
		KUNIT_EXPECT_TRUE(test, is_prepared(file, i));
	}
	KUNIT_EXPECT_EQ(test, punch(file, 0, NR_PAGES / 2), 0);
	release(f, 0);
	expect_account(f, 0, 0);
}

/* Whatever was in a page when it came, or had been left by the guest. */
static void pages_are_zeroed(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	struct page *page;
	int round, i;

	f->reuse = true;
	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, NR_PAGES), 0);
	KUNIT_ASSERT_EQ(test, allocate(file, 0, NR_PAGES), 0);
	for (i = 0; i < NR_PAGES; i++)
		fill(folio_page(cached(file, i), 0), SPOILED);

	for (round = 0; round < 3; round++) {
		for (i = 0; i < NR_PAGES; i++) {
			KUNIT_ASSERT_EQ(test, fault(f, 0, i, &page), 0);
			KUNIT_EXPECT_TRUE(test, is_filled(page, 0));
			fill(page, SPOILED);
		}
		KUNIT_EXPECT_EQ(test, punch(file, 0, NR_PAGES), 0);
	}
}

static void taking_is_an_invalidation(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	struct kvm *kvm = f->kvm;
	struct page *page;
	unsigned long seq;

	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, 4), 0);
	KUNIT_ASSERT_EQ(test, bind(f, 1, file, 4, 4), 0);
	KUNIT_ASSERT_EQ(test, fault(f, 0, 2, &page), 0);
	KUNIT_ASSERT_EQ(test, fault(f, 1, 1, &page), 0);

	seq = kvm->mmu_invalidate_seq;
	KUNIT_EXPECT_EQ(test, punch(file, 2, 6), 0);
	expect_account(f, 2, 0);
	KUNIT_EXPECT_EQ(test, f->in_progress, 1);
	KUNIT_EXPECT_EQ(test, kvm->mmu_invalidate_in_progress, 0);
	KUNIT_EXPECT_NE(test, kvm->mmu_invalidate_seq, seq);
	KUNIT_EXPECT_EQ(test, kvm->mmu_invalidate_range_start, slot_gfn(f, 0) + 2);
	KUNIT_EXPECT_EQ(test, kvm->mmu_invalidate_range_end, slot_gfn(f, 1) + 2);

	/* Nothing is bound there: no fault has to wait. */
	seq = kvm->mmu_invalidate_seq;
	KUNIT_EXPECT_EQ(test, allocate(file, 8, NR_PAGES), 0);
	KUNIT_EXPECT_EQ(test, punch(file, 8, NR_PAGES), 0);
	KUNIT_EXPECT_EQ(test, kvm->mmu_invalidate_seq, seq);
}

/* What the architecture has for a slot is in the copy when one is deleted. */
static void taking_while_a_slot_is_deleted(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	struct kvm_memory_slot *copy;
	struct page *page;

	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, 4), 0);
	KUNIT_ASSERT_EQ(test, fault(f, 0, 2, &page), 0);

	copy = kunit_kzalloc(test, sizeof(*copy), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, copy);
	copy->base_gfn = f->slots[0].base_gfn;
	copy->npages = f->slots[0].npages;
	copy->id = f->slots[0].id;
	KUNIT_ASSERT_EQ(test, fake_arch_init_slot(copy), 0);
	mutex_lock(&f->kvm->slots_lock);
	hash_add(__kvm_memslots(f->kvm, 0)->id_hash, &copy->id_node[0],
		 copy->id);
	mutex_unlock(&f->kvm->slots_lock);

	KUNIT_EXPECT_EQ(test, punch(file, 0, 4), 0);
	expect_account(f, 1, 0);

	mutex_lock(&f->kvm->slots_lock);
	hash_del(&copy->id_node[0]);
	mutex_unlock(&f->kvm->slots_lock);
	fake_arch_free_slot(copy);
}

/* So that a hole is done some time, however often the guest touches it. */
static void faults_wait_for_invalidations(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	struct kvm *kvm = f->kvm;
	struct page *page;

	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, 4), 0);
	KVM_MMU_LOCK(kvm);
	kvm_mmu_invalidate_begin(kvm);
	kvm_mmu_invalidate_range_add(kvm, slot_gfn(f, 0) + 1, slot_gfn(f, 0) + 3);
	KVM_MMU_UNLOCK(kvm);

	KUNIT_EXPECT_EQ(test, fault(f, 0, 1, &page), -EAGAIN);
	KUNIT_EXPECT_EQ(test, fault(f, 0, 2, &page), -EAGAIN);
	KUNIT_EXPECT_EQ(test, file->f_mapping->nrpages, 0);
	KUNIT_EXPECT_EQ(test, fault(f, 0, 0, &page), 0);
	KUNIT_EXPECT_EQ(test, fault(f, 0, 3, &page), 0);

	KVM_MMU_LOCK(kvm);
	kvm_mmu_invalidate_end(kvm);
	KVM_MMU_UNLOCK(kvm);
	KUNIT_EXPECT_EQ(test, fault(f, 0, 1, &page), 0);
	expect_account(f, 3, 3);
}

/* ---- Populating ---- */

static void populate_in_order(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	struct page *page;
	int i;

	new_source(f, 8);
	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 2, 8), 0);
	KUNIT_EXPECT_EQ(test, populate(f, 0, 0, 8), 8);
	expect_account(f, 8, 8);

	for (i = 0; i < 8; i++) {
		KUNIT_ASSERT_EQ(test, fault(f, 0, i, &page), 0);
		KUNIT_EXPECT_EQ(test, read_stamp(page), src_stamp(i));
	}
	expect_account(f, 8, 8);
	KUNIT_EXPECT_EQ(test, punch(file, 0, NR_PAGES), 0);
	expect_account(f, 8, 0);
}

static void populate_failures(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	struct page *page;
	int n;

	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, NR_PAGES), 0);
	for (n = 1; n <= NR_PAGES; n++) {
		f->calls = 0;
		f->fail_in = n;
		KUNIT_EXPECT_EQ(test, populate(f, 0, 0, NR_PAGES), n - 1 ?: FAILURE);
		expect_account(f, n, n - 1);
		KUNIT_EXPECT_FALSE(test, is_prepared(file, n - 1));

		/* The page is free to be used in either way. */
		if (n % 2) {
			KUNIT_EXPECT_EQ(test, fault(f, 0, n - 1, &page), 0);
			KUNIT_EXPECT_TRUE(test, is_filled(page, 0));
		} else {
			KUNIT_EXPECT_EQ(test, populate(f, 0, n - 1, 1), 1);
		}
		expect_account(f, n + 1, n);
		KUNIT_EXPECT_EQ(test, punch(file, 0, NR_PAGES), 0);
		expect_account(f, n + 1, 0);
	}
}

static void populate_refuses_arguments(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	gfn_t gfn = slot_gfn(f, 0);

	new_source(f, 4);
	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, 4), 0);

	KUNIT_EXPECT_EQ(test, populate_gfn(f, gfn, f->src, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, populate_gfn(f, gfn, f->src, -1), -EINVAL);
	KUNIT_EXPECT_EQ(test, populate_gfn(f, gfn, f->src, LONG_MIN), -EINVAL);
	KUNIT_EXPECT_EQ(test, populate_gfn(f, gfn, f->src + 1, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, populate_gfn(f, gfn, f->src + PAGE_SIZE / 2, 1), -EINVAL);
	/* No slot, and one without a guest_memfd. */
	KUNIT_EXPECT_EQ(test, populate_gfn(f, gfn - 1, f->src, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, populate_gfn(f, gfn + 4, f->src, 1), -EINVAL);
	f->slots[0].flags = KVM_MEM_LOG_DIRTY_PAGES;
	KUNIT_EXPECT_EQ(test, populate_gfn(f, gfn, f->src, 1), -EINVAL);
	f->slots[0].flags = KVM_MEM_GUEST_MEMFD;

	expect_account(f, 0, 0);
	KUNIT_EXPECT_EQ(test, file->f_mapping->nrpages, 0);
}

static void populate_stops_at_pages(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	gfn_t gfn = slot_gfn(f, 0);
	struct page *page;

	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, NR_PAGES), 0);

	/* In use, whether by a fault or because it has been populated. */
	KUNIT_ASSERT_EQ(test, fault(f, 0, 2, &page), 0);
	KUNIT_EXPECT_EQ(test, populate(f, 0, 2, 1), -EEXIST);
	KUNIT_EXPECT_EQ(test, populate(f, 0, 0, 4), 2);
	KUNIT_EXPECT_EQ(test, populate(f, 0, 1, 4), -EEXIST);
	expect_account(f, 3, 3);

	/* Shared. */
	KUNIT_ASSERT_EQ(test, set_private(f->kvm, gfn + 6, gfn + 7, false), 0);
	KUNIT_EXPECT_EQ(test, populate(f, 0, 6, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, populate(f, 0, 4, 4), 2);
	expect_account(f, 5, 5);
	KUNIT_EXPECT_NULL(test, cached(file, 6));

	/* The end of the slot. */
	KUNIT_EXPECT_EQ(test, populate(f, 0, NR_PAGES - 3, LONG_MAX), 3);
	expect_account(f, 8, 8);

	release(f, 0);
	expect_account(f, 8, 0);
	KUNIT_EXPECT_EQ(test, populate(f, 0, 8, 1), -EFAULT);
}

static void populate_source_fault(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);

	new_source(f, 4);
	kthread_use_mm(f->mm);
	KUNIT_EXPECT_EQ(test, vm_munmap(f->src + 2 * PAGE_SIZE, PAGE_SIZE), 0);
	kthread_unuse_mm(f->mm);

	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, NR_PAGES), 0);
	KUNIT_EXPECT_EQ(test, populate(f, 0, 0, 4), 2);
	f->src += 2 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, populate(f, 0, 2, 1), -EFAULT);
	expect_account(f, 2, 2);
	f->src += PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, populate(f, 0, 2, 1), 1);
	expect_account(f, 3, 3);
}

static void populate_signal(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	int n;

	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, NR_PAGES), 0);
	allow_signal(SIGUSR1);
	for (n = 1; n < NR_PAGES; n++) {
		f->calls = 0;
		f->signal_in = n;
		KUNIT_EXPECT_EQ(test, populate(f, 0, 0, NR_PAGES), n);
		KUNIT_EXPECT_EQ(test, populate(f, 0, n, 1), -EINTR);
		KUNIT_EXPECT_EQ(test, allocate(file, n, n + 1), -EINTR);
		flush_signals(current);
		expect_account(f, n, n);

		/* To be gone on with. */
		KUNIT_EXPECT_EQ(test, populate(f, 0, n, NR_PAGES - n), NR_PAGES - n);
		expect_account(f, NR_PAGES, NR_PAGES);
		KUNIT_EXPECT_EQ(test, punch(file, 0, NR_PAGES), 0);
	}
	disallow_signal(SIGUSR1);
}

static void punch_pages(struct work_struct *work)
{
	struct fake *f = container_of(work, struct fake, hole);

	KUNIT_EXPECT_EQ(f->test, punch(f->hole_in, 0, NR_PAGES), 0);
}

static void populate_keeps_holes_out(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);

	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, 4), 0);
	INIT_WORK(&f->hole, punch_pages);
	f->hole_in = file;
	KUNIT_EXPECT_EQ(test, populate(f, 0, 0, 1), 1);
	flush_work(&f->hole);
	expect_account(f, 1, 0);
	KUNIT_EXPECT_EQ(test, file->f_mapping->nrpages, 0);
}

/* A page that cannot come back leaves its file, and is not counted there any more. */
static void populate_fails_for_good(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	struct inode *inode = file_inode(file);
	s64 bytes = atomic64_read(&f->kvm->stat.generic.guest_memfd_bytes);

	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, NR_PAGES), 0);
	f->fail_for_good = true;
	f->fail_in = 3;
	KUNIT_EXPECT_EQ(test, populate(f, 0, 0, 4), 2);
	f->fail_in = 1;
	KUNIT_EXPECT_EQ(test, populate(f, 0, 2, 2), FAILURE);
	expect_account(f, 4, 2);
	KUNIT_EXPECT_NULL(test, cached(file, 2));
	KUNIT_EXPECT_EQ(test, inode->i_blocks, 2 * (PAGE_SIZE / 512));
	bytes += 2 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, atomic64_read(&f->kvm->stat.generic.guest_memfd_bytes), bytes);

	/* Another page takes its place. */
	KUNIT_EXPECT_EQ(test, populate(f, 0, 2, 2), 2);
	expect_account(f, 6, 4);
	KUNIT_EXPECT_EQ(test, inode->i_blocks, 4 * (PAGE_SIZE / 512));
}

/* ---- Binding ---- */

static void bind_refuses_arguments(struct kunit *test)
{
	static const struct {
		u64 offset;
		unsigned long npages;
	} ranges[] = {
		{ 1, 1 },
		{ PAGE_SIZE / 2, 1 },
		{ PAGE_SIZE - 1, 1 },
		{ 0, NR_PAGES + 1 },
		{ PAGE_SIZE, NR_PAGES },
		{ NR_PAGES * PAGE_SIZE, 1 },
		{ -(u64)PAGE_SIZE, 1 },
		{ -(u64)PAGE_SIZE, 2 },
		{ 1ull << 63, 1 },
		{ -(u64)NR_PAGES * PAGE_SIZE, NR_PAGES + 1 },
	};
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES), *other;
	struct kvm_memory_slot *slot = &f->slots[0];
	struct kvm *kvm;
	int i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    bind_at(f, slot, file, ranges[i].offset, ranges[i].npages),
				    "offset %llx, %lu pages", ranges[i].offset, ranges[i].npages);

	other = shmem_file_setup("not-gmem", PAGE_SIZE, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	KUNIT_EXPECT_EQ(test, bind_at(f, slot, other, 0, 1), -EINVAL);
	__fput_sync(other);

	kvm = new_vm();
	KUNIT_ASSERT_NOT_NULL(test, kvm);
	other = kvm_gmem_create_file(kvm, PAGE_SIZE, 0);
	KUNIT_EXPECT_FALSE(test, IS_ERR(other));
	if (!IS_ERR(other)) {
		KUNIT_EXPECT_EQ(test, bind_at(f, slot, other, 0, 1), -EINVAL);
		__fput_sync(other);
	}
	free_vm(kvm);

	mutex_lock(&f->kvm->slots_lock);
	KUNIT_EXPECT_EQ(test, kvm_gmem_bind(f->kvm, slot, UINT_MAX, 0), -EBADF);
	mutex_unlock(&f->kvm->slots_lock);

	KUNIT_EXPECT_FALSE(test, is_bound(slot));
	KUNIT_EXPECT_EQ(test, bind(f, 0, file, 0, NR_PAGES), 0);
}

/* One binding in the middle, and another at every place there is. */
static void bind_overlap(struct kunit *test)
{
	const pgoff_t first = 5, end = 11;
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	pgoff_t s, e;
	int want, r;

	KUNIT_ASSERT_EQ(test, bind(f, 0, file, first, end - first), 0);
	for (s = 0; s < NR_PAGES; s++) {
		for (e = s + 1; e <= NR_PAGES; e++) {
			want = s < end && e > first ? -EEXIST : 0;
			r = bind(f, 1, file, s, e - s);
			KUNIT_EXPECT_EQ_MSG(test, r, want, "[%lu, %lu)", s, e);
			KUNIT_EXPECT_EQ(test, !r, is_bound(&f->slots[1]));
			if (!r)
				unbind(f, 1);
		}
	}

	KUNIT_EXPECT_EQ(test, bind(f, 1, file, 0, first), 0);
	KUNIT_EXPECT_EQ(test, bind(f, 2, file, end, NR_PAGES - end), 0);
	KUNIT_EXPECT_EQ(test, bind(f, 3, file, 0, NR_PAGES), -EEXIST);
}

/* The pages belong to the file, and are found by whoever is bound to them. */
static void bind_again(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	struct page *page, *again;

	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, 8), 0);
	KUNIT_ASSERT_EQ(test, fault(f, 0, 5, &page), 0);
	write_stamp(page, STAMP);
	unbind(f, 0);
	KUNIT_EXPECT_EQ(test, fault(f, 0, 5, &again), -EFAULT);
	expect_account(f, 1, 1);

	KUNIT_ASSERT_EQ(test, bind(f, 1, file, 4, 8), 0);
	KUNIT_ASSERT_EQ(test, fault(f, 1, 1, &again), 0);
	KUNIT_EXPECT_PTR_EQ(test, page, again);
	KUNIT_EXPECT_EQ(test, read_stamp(again), STAMP);
	expect_account(f, 1, 1);
	KUNIT_EXPECT_EQ(test, bind(f, 0, file, 0, 4), 0);
}

/* ---- Lifetimes ---- */

static void release_while_bound(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	struct page *page;
	unsigned long seq;

	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, 4), 0);
	KUNIT_ASSERT_EQ(test, bind(f, 1, file, 8, 4), 0);
	KUNIT_ASSERT_EQ(test, fault(f, 0, 0, &page), 0);
	KUNIT_ASSERT_EQ(test, fault(f, 1, 0, &page), 0);

	seq = f->kvm->mmu_invalidate_seq;
	release(f, 0);
	expect_account(f, 2, 0);
	KUNIT_EXPECT_NE(test, f->kvm->mmu_invalidate_seq, seq);
	KUNIT_EXPECT_FALSE(test, is_bound(&f->slots[0]));
	KUNIT_EXPECT_FALSE(test, is_bound(&f->slots[1]));
	KUNIT_EXPECT_EQ(test, fault(f, 0, 0, &page), -EFAULT);
	KUNIT_EXPECT_EQ(test, fault(f, 1, 1, &page), -EFAULT);
	KUNIT_EXPECT_EQ(test, vm_refs(f), 0);

	/* A slot whose file is gone goes as others do, and can come back. */
	unbind(f, 0);
	file = new_file(f, 0, NR_PAGES);
	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, 4), 0);
	KUNIT_EXPECT_EQ(test, fault(f, 0, 0, &page), 0);
}

static void bindings_hold_nothing(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	struct page *page;

	KUNIT_EXPECT_EQ(test, vm_refs(f), 1);
	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, 4), 0);
	KUNIT_EXPECT_EQ(test, vm_refs(f), 1);
	KUNIT_EXPECT_EQ(test, file_count(file), 1);
	KUNIT_ASSERT_EQ(test, fault(f, 0, 0, &page), 0);

	/* The slot first. */
	unbind(f, 0);
	expect_account(f, 1, 1);
	release(f, 0);
	expect_account(f, 1, 0);
	KUNIT_EXPECT_EQ(test, vm_refs(f), 0);
}

/* The last reference counts, and somebody who holds no more than the inode. */
static void release_by_the_last(struct kunit *test)
{
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	struct inode *inode = file_inode(file);
	struct page *page;

	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, 4), 0);
	KUNIT_ASSERT_EQ(test, fault(f, 0, 0, &page), 0);

	get_file(file);
	__fput_sync(file);
	KUNIT_EXPECT_EQ(test, fault(f, 0, 1, &page), 0);
	expect_account(f, 2, 2);

	ihold(inode);
	release(f, 0);
	KUNIT_EXPECT_EQ(test, fault(f, 0, 0, &page), -EFAULT);
	KUNIT_EXPECT_EQ(test, vm_refs(f), 1);
	expect_account(f, 2, 2);

	iput(inode);
	expect_account(f, 2, 0);
	KUNIT_EXPECT_EQ(test, vm_refs(f), 0);
}

/* ---- Memory errors ---- */

static int memory_error(struct file *file, struct page *page)
{
	struct folio *folio = page_folio(page);
	int r;

	folio_lock(folio);
	SetPageHWPoison(page);
	r = file->f_mapping->a_ops->error_remove_folio(file->f_mapping, folio);
	folio_unlock(folio);
	return r;
}

static void memory_errors(struct kunit *test)
{
	struct page *used, *unused, *page;
	struct fake *f = test->priv;
	struct file *file;
	unsigned long seq;

	if (!IS_ENABLED(CONFIG_MEMORY_FAILURE))
		kunit_skip(test, "CONFIG_MEMORY_FAILURE is off");

	file = new_file(f, 0, NR_PAGES);
	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, 4), 0);
	KUNIT_ASSERT_EQ(test, fault(f, 0, 0, &used), 0);
	KUNIT_ASSERT_EQ(test, allocate(file, 1, 2), 0);
	unused = folio_page(cached(file, 1), 0);
	get_page(unused);

	seq = f->kvm->mmu_invalidate_seq;
	KUNIT_EXPECT_EQ(test, memory_error(file, used), MF_DELAYED);
	KUNIT_EXPECT_NE(test, f->kvm->mmu_invalidate_seq, seq);
	KUNIT_EXPECT_EQ(test, memory_error(file, unused), MF_DELAYED);

	/* They stay, and nobody gets them. */
	KUNIT_EXPECT_EQ(test, fault(f, 0, 0, &page), -EHWPOISON);
	KUNIT_EXPECT_EQ(test, fault(f, 0, 1, &page), -EHWPOISON);
	KUNIT_EXPECT_EQ(test, populate(f, 0, 0, 1), -EHWPOISON);
	KUNIT_EXPECT_EQ(test, populate(f, 0, 1, 1), -EHWPOISON);
	expect_account(f, 1, 1);

	KUNIT_EXPECT_EQ(test, punch(file, 0, 2), 0);
	expect_account(f, 1, 0);
	KUNIT_EXPECT_EQ(test, fault(f, 0, 0, &page), 0);
	KUNIT_EXPECT_PTR_NE(test, page, used);
	KUNIT_EXPECT_EQ(test, fault(f, 0, 1, &page), 0);
	KUNIT_EXPECT_PTR_NE(test, page, unused);

	/* There is nothing wrong with these pages. */
	ClearPageHWPoison(used);
	ClearPageHWPoison(unused);
	put_page(unused);
}

/* ---- Anything, in any order ---- */

enum model_page { ABSENT, ALLOCATED, GIVEN };

#define GONE	-1		/* the file of a slot that has outlived it */

struct model {
	struct fake *f;
	struct rnd_state rnd;
	struct {
		enum model_page state;
		u64 stamp;
	} pages[NR_FILES][NR_PAGES];
	struct {
		bool used;
		int file;
		pgoff_t start;
		unsigned long n;
	} slots[NR_SLOTS];
	int fail_in;
	u64 next_stamp;
};

static u32 rnd(struct model *m, u32 n)
{
	return prandom_u32_state(&m->rnd) % n;
}

static u32 pick_seed(struct kunit *test)
{
	u32 s = seed ?: get_random_u32();

	kunit_info(test, "kvm.gmem_test_seed=%u", s);
	return s;
}

/* What giving a page has to come to. */
static int model_give(struct model *m, int file, pgoff_t index, u64 stamp)
{
	m->pages[file][index].state = ALLOCATED;
	if (m->fail_in && !--m->fail_in)
		return FAILURE;

	m->pages[file][index].state = GIVEN;
	m->pages[file][index].stamp = stamp;
	return 0;
}

static void random_fault(struct model *m, int slot)
{
	struct kunit *test = m->f->test;
	unsigned long nr = rnd(m, m->slots[slot].n ?: 1);
	int file = m->slots[slot].file, want = -EFAULT, r;
	pgoff_t index = m->slots[slot].start + nr;
	struct page *page;

	if (m->slots[slot].used && file != GONE)
		want = m->pages[file][index].state == GIVEN ?
		       0 : model_give(m, file, index, 0);

	r = fault(m->f, slot, nr, &page);
	KUNIT_EXPECT_EQ(test, r, want);
	if (r || want)
		return;

	KUNIT_EXPECT_EQ(test, read_stamp(page), m->pages[file][index].stamp);
	m->pages[file][index].stamp = ++m->next_stamp;
	write_stamp(page, m->next_stamp);
}

static void random_populate(struct model *m, int slot)
{
	unsigned long nr = rnd(m, m->slots[slot].n ?: 1), n = 1 + rnd(m, 6), i;
	gfn_t gfn = slot_gfn(m->f, slot) + nr;
	int file = m->slots[slot].file;
	long want = 0;

	if (!m->slots[slot].used)
		want = -EINVAL;
	else if (file == GONE)
		want = -EFAULT;

	for (i = 0; !want && i < n && nr + i < m->slots[slot].n; i++) {
		pgoff_t index = m->slots[slot].start + nr + i;

		want = m->pages[file][index].state == GIVEN ?
		       -EEXIST : model_give(m, file, index, STAMP + gfn + i);
		if (want && i) {
			want = i;
			break;
		}
	}
	KUNIT_EXPECT_EQ(m->f->test, populate(m->f, slot, nr, n), want ?: i);
}

static void random_range(struct model *m, int file, bool allocating)
{
	pgoff_t start = rnd(m, NR_PAGES), end = start + 1 + rnd(m, NR_PAGES - start), i;
	struct file *filp = m->f->files[file];

	for (i = start; i < end; i++) {
		if (!allocating)
			m->pages[file][i].state = ABSENT;
		else if (m->pages[file][i].state == ABSENT)
			m->pages[file][i].state = ALLOCATED;
	}
	KUNIT_EXPECT_EQ(m->f->test, 0, allocating ? allocate(filp, start, end) :
						    punch(filp, start, end));
}

static bool model_overlaps(struct model *m, int file, pgoff_t start, unsigned long n)
{
	int i;

	for (i = 0; i < NR_SLOTS; i++) {
		if (m->slots[i].used && m->slots[i].file == file &&
		    m->slots[i].start < start + n &&
		    start < m->slots[i].start + m->slots[i].n)
			return true;
	}
	return false;
}

static void random_bind(struct model *m, int slot)
{
	pgoff_t start = rnd(m, NR_PAGES);
	unsigned long n = 1 + rnd(m, NR_PAGES - start);
	int file = rnd(m, NR_FILES), want, r;

	if (m->slots[slot].used) {
		unbind(m->f, slot);
		memset(&m->slots[slot], 0, sizeof(m->slots[slot]));
		return;
	}

	want = model_overlaps(m, file, start, n) ? -EEXIST : 0;
	r = bind(m->f, slot, m->f->files[file], start, n);
	KUNIT_EXPECT_EQ(m->f->test, r, want);
	if (r)
		return;

	m->slots[slot].used = true;
	m->slots[slot].file = file;
	m->slots[slot].start = start;
	m->slots[slot].n = n;
}

static void random_release(struct model *m, int file)
{
	int i;

	release(m->f, file);
	memset(m->pages[file], 0, sizeof(m->pages[file]));
	for (i = 0; i < NR_SLOTS; i++) {
		if (m->slots[i].used && m->slots[i].file == file)
			m->slots[i].file = GONE;
	}
	new_file(m->f, file, NR_PAGES);
}

static void compare_with_model(struct model *m)
{
	int file, i, given = 0, nrpages;
	struct kunit *test = m->f->test;

	for (file = 0; file < NR_FILES; file++) {
		struct file *filp = m->f->files[file];

		nrpages = 0;
		for (i = 0; i < NR_PAGES; i++) {
			enum model_page state = m->pages[file][i].state;

			nrpages += state != ABSENT;
			given += state == GIVEN;
			KUNIT_EXPECT_EQ(test, !!cached(filp, i), state != ABSENT);
			KUNIT_EXPECT_EQ(test, is_prepared(filp, i), state == GIVEN);
		}
		KUNIT_EXPECT_EQ(test, filp->f_mapping->nrpages, nrpages);
		KUNIT_EXPECT_EQ(test, file_inode(filp)->i_blocks,
				nrpages * (PAGE_SIZE / 512));
	}
	KUNIT_EXPECT_EQ(test, m->f->nr_given, given);
	KUNIT_EXPECT_EQ(test, vm_refs(m->f), NR_FILES);
}

static void random_operation(struct model *m)
{
	int slot = rnd(m, NR_SLOTS), file = rnd(m, NR_FILES), op = rnd(m, 64);

	m->fail_in = rnd(m, 3) ? 0 : 1 + rnd(m, 4);
	m->f->fail_in = m->fail_in;
	if (op < 32)
		random_fault(m, slot);
	else if (op < 44)
		random_populate(m, slot);
	else if (op < 52)
		random_range(m, file, true);
	else if (op < 57)
		random_range(m, file, false);
	else if (op < 63)
		random_bind(m, slot);
	else
		random_release(m, file);
	m->f->fail_in = 0;
}

/* Stops at the first difference, and before it can take long. */
static void random_operations(struct kunit *test)
{
	unsigned long end = jiffies + 5 * HZ;
	struct fake *f = test->priv;
	struct model *m;
	int i;

	m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m);
	m->f = f;
	f->reuse = true;
	prandom_seed_state(&m->rnd, pick_seed(test));
	for (i = 0; i < NR_FILES; i++)
		new_file(f, i, NR_PAGES);

	for (i = 0; i < 10000 && time_before(jiffies, end); i++) {
		random_operation(m);
		compare_with_model(m);
		if (READ_ONCE(test->status) == KUNIT_FAILURE)
			break;
	}
	kunit_info(test, "%d operations", i);
}

/* ---- Races ---- */

struct racer {
	struct fake *f;
	struct rnd_state rnd;
	struct file *file;
	int faults, retries;
};

/* As a vCPU would: what could be mapped has been given, and not taken back. */
static int racing_guest(void *arg)
{
	struct racer *racer = arg;
	struct fake *f = racer->f;
	struct kvm *kvm = f->kvm;
	unsigned long seq;
	kvm_pfn_t pfn;
	int idx, r;
	gfn_t gfn;

	while (!kthread_should_stop()) {
		cond_resched();
		gfn = slot_gfn(f, 0) + prandom_u32_state(&racer->rnd) % 4;
		idx = srcu_read_lock(&kvm->srcu);
		seq = kvm->mmu_invalidate_seq;
		smp_rmb();	/* The sequence comes before the page. */
		r = kvm_gmem_get_pfn(kvm, &f->slots[0], gfn, &pfn, NULL);
		if (!r) {
			KVM_MMU_LOCK(kvm);
			if (mmu_invalidate_retry_gfn(kvm, seq, gfn))
				racer->retries++;
			else
				KUNIT_EXPECT_PTR_EQ(f->test, xa_load(&f->given, pfn),
						    xa_mk_value(gfn));
			KVM_MMU_UNLOCK(kvm);
			put_page(pfn_to_page(pfn));
		}
		srcu_read_unlock(&kvm->srcu, idx);
		KUNIT_EXPECT_TRUE(f->test, !r || r == -EFAULT || r == -EAGAIN);
		racer->faults++;
	}
	return 0;
}

static int racing_host(void *arg)
{
	struct racer *racer = arg;

	while (!kthread_should_stop()) {
		u32 op = prandom_u32_state(&racer->rnd) % 8, start = op % 4;

		cond_resched();
		if (op < 4)
			punch(racer->file, start, 4);
		else
			allocate(racer->file, start, 4);
	}
	return 0;
}

/* Ends with the file being released under the guests. */
static void races(struct kunit *test)
{
	int (*const fns[])(void *) = { racing_guest, racing_guest, racing_host };
	struct task_struct *tasks[ARRAY_SIZE(fns)];
	struct racer racers[ARRAY_SIZE(fns)] = {};
	struct fake *f = test->priv;
	struct file *file = new_file(f, 0, NR_PAGES);
	u32 s = pick_seed(test);
	int i;

	f->reuse = true;
	KUNIT_ASSERT_EQ(test, bind(f, 0, file, 0, 4), 0);
	for (i = 0; i < ARRAY_SIZE(fns); i++) {
		racers[i].f = f;
		racers[i].file = file;
		prandom_seed_state(&racers[i].rnd, s + i);
		tasks[i] = kthread_run(fns[i], &racers[i], "gmem-race/%d", i);
	}
	msleep(1000);
	if (!IS_ERR(tasks[2]))
		kthread_stop(tasks[2]);
	release(f, 0);
	expect_account(f, f->calls, 0);

	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_FALSE(test, IS_ERR(tasks[i]));
		if (!IS_ERR(tasks[i]))
			kthread_stop(tasks[i]);
		kunit_info(test, "%d faults, %d retries", racers[i].faults,
			   racers[i].retries);
	}
}

static struct kunit_case gmem_test_cases[] = {
	KUNIT_CASE(fault_prepares_once),
	KUNIT_CASE(fallocate_prepares_nothing),
	KUNIT_CASE(fallocate_makes_blocks),
	KUNIT_CASE(prepare_failures),
	KUNIT_CASE(pages_are_zeroed),
	KUNIT_CASE(pages_are_not_dropped),
	KUNIT_CASE(shared_files_have_no_hooks),
	KUNIT_CASE(taking_is_an_invalidation),
	KUNIT_CASE(taking_while_a_slot_is_deleted),
	KUNIT_CASE(faults_wait_for_invalidations),
	KUNIT_CASE(populate_in_order),
	KUNIT_CASE(populate_failures),
	KUNIT_CASE(populate_refuses_arguments),
	KUNIT_CASE(populate_stops_at_pages),
	KUNIT_CASE(populate_source_fault),
	KUNIT_CASE(populate_signal),
	KUNIT_CASE(populate_keeps_holes_out),
	KUNIT_CASE(populate_fails_for_good),
	KUNIT_CASE(bind_refuses_arguments),
	KUNIT_CASE(bind_overlap),
	KUNIT_CASE(bind_again),
	KUNIT_CASE(release_while_bound),
	KUNIT_CASE(bindings_hold_nothing),
	KUNIT_CASE(release_by_the_last),
	KUNIT_CASE(memory_errors),
	KUNIT_CASE(random_operations),
	KUNIT_CASE(races),
	{}
};

static struct kunit_suite gmem_test_suite = {
	.name = "kvm-guest-memfd",
	.init = gmem_test_init,
	.exit = gmem_test_exit,
	.test_cases = gmem_test_cases,
};

kunit_test_suite(gmem_test_suite);
