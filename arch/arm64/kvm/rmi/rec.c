// SPDX-License-Identifier: GPL-2.0-only
/*
 * Creating and destroying RECs, a realm's vCPUs.
 *
 * RECs can be created while the realm is NEW, and are measured in the order in
 * which that happens: of KVM_ARM_VCPU_FINALIZE, or by vCPU ID when the first
 * vCPU is run.  The RMM wants it to be by vCPU ID without a gap in any case.
 */
#include <linux/kvm_host.h>
#include <linux/slab.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_rmi.h>
#include <asm/rmi_cmds.h>

/* RmiRecMpidr: Aff3 follows Aff2 in it. */
static u64 rec_mpidr(const struct kvm_vcpu *vcpu)
{
	unsigned long mpidr = __vcpu_sys_reg(vcpu, MPIDR_EL1);

	return (mpidr & GENMASK(23, 0)) | MPIDR_AFFINITY_LEVEL(mpidr, 3) << 24;
}

static void rec_fill_params(const struct kvm_vcpu *vcpu,
			    struct rec_params *params)
{
	const struct realm_rec *rec = &vcpu->arch.rec;
	unsigned int i;

	if (READ_ONCE(vcpu->arch.mp_state.mp_state) == KVM_MP_STATE_RUNNABLE)
		params->flags |= RMI_REC_PARAM_FLAG_RUNNABLE;
	params->mpidr = rec->mpidr;
	params->pc = *vcpu_pc(vcpu);
	for (i = 0; i < RMI_REC_CREATE_NR_GPRS; i++)
		params->gprs[i] = vcpu_get_reg(vcpu, i);
	params->num_rec_aux = rec->nr_aux;
	memcpy(params->aux, rec->aux, rec->nr_aux * sizeof(rec->aux[0]));
}

static void free_aux(struct realm_rec *rec)
{
	while (rec->nr_aux)
		realm_granule_free(rec->aux[--rec->nr_aux]);
}

static int alloc_aux(struct kvm *kvm, struct realm_rec *rec)
{
	unsigned long count;
	phys_addr_t aux;
	int ret;

	ret = rmi_to_errno(rmi_rec_aux_count(kvm->arch.realm.rd, &count));
	if (ret)
		return ret;
	if (count > RMI_REC_MAX_AUX)
		return -EIO;
	while (rec->nr_aux < count) {
		aux = realm_granule_alloc(GFP_KERNEL_ACCOUNT);
		if (!aux) {
			free_aux(rec);
			return -ENOMEM;
		}
		rec->aux[rec->nr_aux++] = aux;
	}
	return 0;
}

/* The granules are there; the parameters are only needed for the call. */
static int rec_create(struct kvm_vcpu *vcpu, phys_addr_t granule)
{
	struct rec_params *params;
	int ret;

	params = (struct rec_params *)get_zeroed_page(GFP_KERNEL);
	if (!params)
		return -ENOMEM;
	rec_fill_params(vcpu, params);
	ret = rmi_to_errno(rmi_rec_create(vcpu->kvm->arch.realm.rd, granule,
					  virt_to_phys(params)));
	free_page((unsigned long)params);
	return ret;
}

static int rec_alloc_and_create(struct kvm_vcpu *vcpu)
{
	struct realm_rec *rec = &vcpu->arch.rec;
	phys_addr_t granule;
	int ret;

	rec->run = (struct rec_run *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!rec->run)
		return -ENOMEM;
	granule = realm_granule_alloc(GFP_KERNEL_ACCOUNT);
	if (!granule) {
		ret = -ENOMEM;
		goto free_run;
	}
	ret = alloc_aux(vcpu->kvm, rec);
	if (ret)
		goto free_granule;
	ret = rec_create(vcpu, granule);
	if (ret)
		goto free_aux;
	WRITE_ONCE(rec->rec, granule);
	return 0;

free_aux:
	free_aux(rec);
free_granule:
	realm_granule_free(granule);
free_run:
	free_page((unsigned long)rec->run);
	rec->run = NULL;
	return ret;
}

/**
 * kvm_create_rec() - Make a vCPU's REC.
 * @vcpu: The vCPU, which may be in use by others: its registers are read as
 *	they are.
 *
 * Context: May sleep; under config_lock.
 * Return: 0, also if there is one; -ENOEXEC if the vCPU is not initialised;
 * -EPERM if it is too late for the realm to get another; -EINVAL if the vCPU
 * differs from what the realm was created with, or the RMM does not accept it;
 * -ENOMEM; or -EBUSY or -EIO for what else the RMM says, see rmi_to_errno().
 */
int kvm_create_rec(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;

	lockdep_assert_held(&kvm->arch.config_lock);

	if (kvm_rec_exists(vcpu))
		return 0;
	if (vcpu->arch.target < 0)
		return -ENOEXEC;
	if (kvm_realm_state(kvm) != REALM_STATE_NEW)
		return -EPERM;
	if (!kvm_rec_fits_realm(vcpu))
		return -EINVAL;
	vcpu->arch.rec.mpidr = rec_mpidr(vcpu);
	return rec_alloc_and_create(vcpu);
}

/**
 * kvm_create_all_recs() - Make the RECs that are missing, by vCPU ID.
 * @kvm: The realm VM, NEW.
 *
 * Context: May sleep; under config_lock.
 * Return: As kvm_create_rec().
 */
int kvm_create_all_recs(struct kvm *kvm)
{
	unsigned int left = atomic_read(&kvm->online_vcpus);
	struct kvm_vcpu *vcpu;
	int id, ret;

	for (id = 0; left && id < KVM_MAX_VCPUS; id++) {
		vcpu = kvm_get_vcpu_by_id(kvm, id);
		if (!vcpu)
			continue;
		ret = kvm_create_rec(vcpu);
		if (ret)
			return ret;
		left--;
	}
	return 0;
}

/**
 * kvm_destroy_rec() - Undo kvm_create_rec(), if that was done.
 * @vcpu: The vCPU, which does not run any more.
 *
 * Context: May sleep; before kvm_destroy_realm().
 */
void kvm_destroy_rec(struct kvm_vcpu *vcpu)
{
	struct realm_rec *rec = &vcpu->arch.rec;

	if (!rec->rec)
		return;
	/* What the RMM does not give back cannot be undelegated, and is leaked. */
	rmi_rec_destroy(rec->rec);
	realm_granule_free(rec->rec);
	rec->rec = 0;
	free_aux(rec);
	free_page((unsigned long)rec->run);
	rec->run = NULL;
}

/**
 * kvm_rec_finalize() - KVM_ARM_VCPU_FINALIZE with KVM_ARM_VCPU_REC.
 * @vcpu: The vCPU; its realm is created if it does not exist yet.
 *
 * Context: May sleep; under vcpu->mutex.
 * Return: 0, -EPERM if that was done before, or an error as kvm_create_rec().
 */
int kvm_rec_finalize(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	int ret = -EPERM;

	mutex_lock(&kvm->slots_lock);
	mutex_lock(&kvm->arch.config_lock);
	if (kvm_rec_exists(vcpu))
		goto unlock;
	ret = kvm_realm_create(kvm);
	if (!ret)
		ret = kvm_create_rec(vcpu);
unlock:
	mutex_unlock(&kvm->arch.config_lock);
	mutex_unlock(&kvm->slots_lock);
	return ret;
}

/**
 * kvm_rec_first_run() - Make a vCPU ready for KVM_RUN, and its realm.
 * @vcpu: The vCPU, with all that is not of the realm ready.
 *
 * Context: May sleep; under vcpu->mutex.
 * Return: 0; an error as kvm_create_rec(), of any vCPU of the realm; or of the
 * realm's creation or activation.
 */
int kvm_rec_first_run(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	int ret;

	ret = kvm_realm_activate(kvm);
	if (ret)
		return ret;
	return kvm_rec_exists(vcpu) ? 0 : -EPERM;
}
