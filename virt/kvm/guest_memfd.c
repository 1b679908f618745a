// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest_memfd as a file: creating it, its inode and its file system, which
 * is mounted inside the kernel only.  Vocabulary, invariants and locking are in
 * guest_memfd.h.
 */
#include <linux/completion.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include <trace/events/kvm.h>

#include "guest_memfd.h"
#include "kvm_mm.h"

static_assert(sizeof(struct kvm_create_guest_memfd) == 64);

static struct kmem_cache *gmem_inode_cache;
static struct vfsmount *gmem_mnt;

static int gmem_release(struct inode *inode, struct file *file)
{
	kvm_gmem_unbind_all(inode);
	return 0;
}

/* In bytes; what is bound is private or shared by the attributes of its frames. */
static void gmem_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct inode *inode = file_inode(file);
	struct kvm_gmem_inode *gi = kvm_gmem_i(inode);

	seq_printf(m, "gmem-size:\t%llu\n", i_size_read(inode));
	seq_printf(m, "gmem-flags:\t%#llx\n", gi->flags);
	seq_printf(m, "gmem-allocated:\t%llu\n", inode->i_blocks * 512ull);
	kvm_gmem_show_bindings(m, inode);
}

/* Not const: its owner is the module that runs VMs, known at init. */
struct file_operations kvm_gmem_fops = {
	.release = gmem_release,
	.mmap = kvm_gmem_mmap,
	.fallocate = kvm_gmem_fallocate,
	.show_fdinfo = gmem_show_fdinfo,
};

/* Size, mode and owner are for life. */
static int gmem_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			struct iattr *attr)
{
	return -EINVAL;
}

static const struct inode_operations gmem_iops = {
	.setattr = gmem_setattr,
};

static void gmem_inode_init_once(void *obj)
{
	struct kvm_gmem_inode *gi = obj;

	inode_init_once(&gi->vfs_inode);
}

static struct inode *gmem_alloc_inode(struct super_block *sb)
{
	struct kvm_gmem_inode *gi;

	gi = alloc_inode_sb(sb, gmem_inode_cache, GFP_KERNEL);
	if (!gi)
		return NULL;

	gi->kvm = NULL;
	gi->flags = 0;
	gi->bindings = RB_ROOT_CACHED;
	mpol_shared_policy_init(&gi->policy, NULL);
	return &gi->vfs_inode;
}

static void gmem_free_inode(struct inode *inode)
{
	kmem_cache_free(gmem_inode_cache, kvm_gmem_i(inode));
}

/* The memory goes back while there is a VM that the hooks can ask about it. */
static void gmem_evict_inode(struct inode *inode)
{
	struct kvm_gmem_inode *gi = kvm_gmem_i(inode);

	truncate_inode_pages_final(inode->i_mapping);
	clear_inode(inode);
	mpol_free_shared_policy(&gi->policy);
	if (gi->kvm) {
		kvm_gmem_account(inode);
		kvm_put_kvm(gi->kvm);
	}
}

static const struct super_operations gmem_super_ops = {
	.statfs = simple_statfs,
	.alloc_inode = gmem_alloc_inode,
	.free_inode = gmem_free_inode,
	.evict_inode = gmem_evict_inode,
};

static int gmem_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, GUEST_MEMFD_MAGIC);

	if (!ctx)
		return -ENOMEM;

	ctx->ops = &gmem_super_ops;
	return 0;
}

static DECLARE_COMPLETION(gmem_sb_is_gone);

static void gmem_kill_sb(struct super_block *sb)
{
	kill_anon_super(sb);
	complete(&gmem_sb_is_gone);
}

static struct file_system_type gmem_fs_type = {
	.name = "kvm_guest_memfd",
	.owner = THIS_MODULE,
	.init_fs_context = gmem_init_fs_context,
	.kill_sb = gmem_kill_sb,
};

/**
 * kvm_gmem_init() - Set guest_memfd up.
 * @module: The module that runs VMs; open files keep it.
 *
 * Return: 0 or an error.
 */
int kvm_gmem_init(struct module *module)
{
	struct vfsmount *mnt;

	gmem_inode_cache = kmem_cache_create("kvm_gmem_inode",
					     sizeof(struct kvm_gmem_inode), 0,
					     SLAB_ACCOUNT | SLAB_RECLAIM_ACCOUNT,
					     gmem_inode_init_once);
	if (!gmem_inode_cache)
		return -ENOMEM;

	reinit_completion(&gmem_sb_is_gone);
	mnt = kern_mount(&gmem_fs_type);
	if (IS_ERR(mnt)) {
		kmem_cache_destroy(gmem_inode_cache);
		return PTR_ERR(mnt);
	}
	mnt->mnt_flags |= MNT_NOEXEC;
	gmem_mnt = mnt;
	kvm_gmem_fops.owner = module;
	return 0;
}

/**
 * kvm_gmem_exit() - Undo kvm_gmem_init().
 */
void kvm_gmem_exit(void)
{
	kern_unmount(gmem_mnt);
	gmem_mnt = NULL;
	/* The last file has put its VM, but may still be on its way out. */
	wait_for_completion(&gmem_sb_is_gone);
	/* Inodes are freed by RCU. */
	rcu_barrier();
	kmem_cache_destroy(gmem_inode_cache);
}

static struct inode *create_inode(struct kvm *kvm, loff_t size, u64 flags)
{
	struct inode *inode;

	inode = anon_inode_make_secure_inode(gmem_mnt->mnt_sb, "[kvm-gmem]", NULL);
	if (IS_ERR(inode))
		return inode;

	kvm_get_kvm(kvm);
	kvm_gmem_i(inode)->kvm = kvm;
	kvm_gmem_i(inode)->flags = flags;

	inode->i_op = &gmem_iops;
	inode->i_mode |= S_IFREG;
	inode->i_size = size;
	inode->i_mapping->a_ops = kvm_gmem_is_shared(inode) ?
				  &kvm_gmem_shared_aops :
				  &kvm_gmem_private_aops;
	mapping_set_gfp_mask(inode->i_mapping, GFP_HIGHUSER);
	mapping_set_inaccessible(inode->i_mapping);
	mapping_set_release_always(inode->i_mapping);
	return inode;
}

/**
 * kvm_gmem_create_file() - Create a guest_memfd.
 * @kvm: The VM that it belongs to.
 * @size: Bytes, a multiple of the page size, larger than 0.
 * @flags: GUEST_MEMFD_FLAG_*.
 *
 * Return: The file, or an error; -ENODEV if no kvm_gmem_init() has succeeded.
 */
struct file *kvm_gmem_create_file(struct kvm *kvm, loff_t size, u64 flags)
{
	struct inode *inode;
	struct file *file;

	if (!gmem_mnt)
		return ERR_PTR(-ENODEV);
	/* The file puts it when it is freed, but does not get it. */
	if (!try_module_get(kvm_gmem_fops.owner))
		return ERR_PTR(-ENODEV);

	inode = create_inode(kvm, size, flags);
	if (IS_ERR(inode)) {
		file = ERR_CAST(inode);
		goto put_module;
	}

	file = alloc_file_pseudo(inode, gmem_mnt, "kvm-gmem",
				 O_RDWR | O_LARGEFILE, &kvm_gmem_fops);
	if (IS_ERR(file))
		goto put_inode;
	return file;

put_inode:
	iput(inode);
put_module:
	module_put(kvm_gmem_fops.owner);
	return file;
}

/**
 * kvm_gmem_supported_flags() - The flags that a VM's guest_memfd can have.
 * @kvm: The VM, or NULL for what any VM can have at best.
 *
 * Return: A mask of GUEST_MEMFD_FLAG_*.
 */
u64 kvm_gmem_supported_flags(struct kvm *kvm)
{
	if (!kvm_arch_supports_gmem(kvm))
		return 0;
	if (kvm && kvm_arch_has_private_mem(kvm))
		return GUEST_MEMFD_FLAG_MMAP;

	return GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED;
}

/**
 * kvm_gmem_create() - KVM_CREATE_GUEST_MEMFD.
 * @kvm: The VM.
 * @args: What userspace asks for.
 *
 * Any VM can create one where there is guest_memfd at all.  What it can be bound
 * to is asked when it is bound.
 *
 * Return: A file descriptor; -ENOTTY if there is no guest_memfd; -EINVAL for
 * flags that the VM's files cannot have, and for a size that is not a positive
 * number of pages; -ENODEV if KVM is not initialised; -EMFILE, -ENFILE, -ENOMEM,
 * or the error of a security module.
 */
int kvm_gmem_create(struct kvm *kvm, const struct kvm_create_guest_memfd *args)
{
	loff_t size = args->size;
	struct file *file;
	int fd;

	if (!kvm_arch_supports_gmem(kvm))
		return -ENOTTY;
	if (args->flags & ~kvm_gmem_supported_flags(kvm))
		return -EINVAL;
	if (size <= 0 || !PAGE_ALIGNED(size))
		return -EINVAL;

	fd = get_unused_fd_flags(0);
	if (fd < 0)
		return fd;

	file = kvm_gmem_create_file(kvm, size, args->flags);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}

	trace_kvm_gmem_create(file_inode(file)->i_ino, size, args->flags);
	fd_install(fd, file);
	return fd;
}
