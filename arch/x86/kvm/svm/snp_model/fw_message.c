// SPDX-License-Identifier: GPL-2.0-only
/* GUEST_REQUEST: messages of a guest, and the attestation report. */
#include "fw.h"

/* Where a signed report names the chip. */
static const char not_attested[64] =
	"MODEL OF SEV-SNP: UNSIGNED, NOTHING HERE IS CONFIDENTIAL";

static u32 check_pages(const struct snpfw_guest_request *r)
{
	struct snpm_rmp_entry request, response;

	snpm_page_get(r->request, &request);
	if (snpm_page_get(r->response, &response) != SNPM_PAGE_FIRMWARE)
		return SNPFW_INVALID_PAGE_STATE;
	if (request.pagesize || response.pagesize)
		return SNPFW_INVALID_PAGE_SIZE;
	return SNPFW_SUCCESS;
}

static bool fits_page(u64 spa, size_t size)
{
	return (spa & (PAGE_SIZE - 1)) + size <= PAGE_SIZE;
}

static bool header_is_valid(const struct snpfw_msg_hdr *h)
{
	return h->hdr_version == SNPFW_MSG_HDR_VERSION &&
	       h->hdr_size == sizeof(*h) && h->algo == SNPFW_MSG_ALGO_GCM &&
	       h->size && IS_ALIGNED(h->size, 16) && h->vmpck < SNPFW_NR_VMPCK;
}

static u32 read_header(const struct snpfw_guest_request *r,
		       struct snpfw_msg_hdr *h)
{
	if (!fits_page(r->request, sizeof(*h)))
		return SNPFW_INVALID_PARAM;
	if (!snpm_fw_read(h, r->request, sizeof(*h)))
		return SNPFW_INVALID_ADDRESS;
	if (!header_is_valid(h) || !fits_page(r->request, sizeof(*h) + h->size))
		return SNPFW_INVALID_PARAM;
	return SNPFW_SUCCESS;
}

static void gcm_init(struct snpm_gcm *gcm, const struct snpm_gctx *g,
		     const struct snpfw_msg_hdr *h, void *data)
{
	*gcm = (struct snpm_gcm) {
		.aad = &h->algo,
		.aad_size = SNPFW_MSG_AAD_SIZE,
		.data = data,
		.size = h->size,
	};
	memcpy(gcm->key, g->vmpck[h->vmpck], sizeof(gcm->key));
	memcpy(gcm->iv, &h->seqno, sizeof(h->seqno));
	memcpy(gcm->tag, h->tag, sizeof(gcm->tag));
}

static u32 unwrap(const struct snpm_gctx *g, const struct snpfw_msg_hdr *h,
		  void *payload)
{
	struct snpm_gcm gcm;
	enum snpm_port_status status;

	gcm_init(&gcm, g, h, payload);
	status = snpm_port_gcm_decrypt(&gcm);
	if (status == SNPM_PORT_BAD)
		return SNPFW_BAD_MEASUREMENT;
	if (status == SNPM_PORT_UNSUPPORTED)
		snpm_port_unmodelled(SNPFW_GUEST_REQUEST, "AES-256-GCM");
	return snpm_fw_status(status);
}

/* The guest counts odd, the firmware even; none may come twice. */
static u32 check_sequence(const struct snpm_gctx *g,
			  const struct snpfw_msg_hdr *h)
{
	u64 count = g->msg_count[h->vmpck];

	return count >= ~0ULL - 1 || h->seqno != count + 1 ?
		SNPFW_AEAD_OFLOW : SNPFW_SUCCESS;
}

static u32 check_type(const struct snpfw_msg_hdr *h)
{
	if (h->version != SNPFW_MSG_VERSION)
		return SNPFW_INVALID_PARAM;
	if (h->type != SNPFW_MSG_REPORT_REQ) {
		snpm_port_unmodelled(SNPFW_GUEST_REQUEST, "message type");
		return SNPFW_INVALID_PARAM;
	}
	return h->size < sizeof(struct snpfw_report_req) ? SNPFW_INVALID_PARAM :
		SNPFW_SUCCESS;
}

/* What is wrong with it is the guest's fault: it is told in the response. */
static u32 check_report_req(const struct snpm_gctx *g,
			    const struct snpfw_msg_hdr *h,
			    const struct snpfw_report_req *q)
{
	if (!snpm_fw_is_zero(q->rsvd, sizeof(q->rsvd)) || q->key_sel & ~3U)
		return SNPFW_INVALID_PARAM;
	if (q->key_sel >= SNPFW_KEY_VLEK || g->no_vcek)
		return SNPFW_INVALID_KEY;
	if (q->vmpl >= SNPM_NR_VMPL || q->vmpl < h->vmpck)
		return SNPFW_INVALID_PARAM;
	return SNPFW_SUCCESS;
}

static void fill_versions(struct snpfw_report *r)
{
	r->current_tcb = SNPM_TCB;
	r->reported_tcb = snpm_fw_reported_tcb();
	r->committed_tcb = SNPM_TCB;
	r->launch_tcb = SNPM_TCB;
	r->current_build = SNPFW_BUILD;
	r->current_minor = SNPFW_API_MINOR;
	r->current_major = SNPFW_API_MAJOR;
	r->committed_build = SNPFW_BUILD;
	r->committed_minor = SNPFW_API_MINOR;
	r->committed_major = SNPFW_API_MAJOR;
}

static void fill_identity(const struct snpm_gctx *g, struct snpfw_report *r)
{
	r->guest_svn = g->id_block.guest_svn;
	memcpy(r->family_id, g->id_block.family_id, sizeof(r->family_id));
	memcpy(r->image_id, g->id_block.image_id, sizeof(r->image_id));
	memcpy(r->id_key_digest, g->id_key_digest, sizeof(r->id_key_digest));
	memcpy(r->author_key_digest, g->author_key_digest,
	       sizeof(r->author_key_digest));
	memcpy(r->report_id, g->report_id, sizeof(r->report_id));
	memset(r->report_id_ma, 0xff, sizeof(r->report_id_ma));
	memcpy(r->chip_id, not_attested, sizeof(r->chip_id));
}

static void fill_report(const struct snpm_gctx *g,
			const struct snpfw_report_req *q,
			struct snpfw_report *r)
{
	r->version = SNPFW_REPORT_VERSION;
	r->policy = g->policy;
	r->vmpl = q->vmpl;
	r->platform_info = snpm_fw.config.smt;
	r->flags = SNPFW_REPORT_UNSIGNED;
	if (g->has_author)
		r->flags |= SNPFW_REPORT_AUTHOR;
	if (snpm_fw.config_flags & SNPFW_MASK_CHIP_KEY)
		r->flags |= SNPFW_REPORT_MASKED;
	memcpy(r->report_data, q->data, sizeof(r->report_data));
	memcpy(r->measurement, g->ld, sizeof(r->measurement));
	memcpy(r->host_data, g->host_data, sizeof(r->host_data));
	fill_identity(g, r);
	fill_versions(r);
}

/* Makes the response in place of @payload, at most a page. */
static void report(const struct snpm_gctx *g, struct snpfw_msg_hdr *h,
		   void *payload)
{
	struct snpfw_report_rsp *rsp = payload;
	struct snpfw_report_req q;

	memcpy(&q, payload, sizeof(q));
	memset(rsp, 0, sizeof(*rsp));
	rsp->status = check_report_req(g, h, &q);
	rsp->size = sizeof(rsp->report);
	if (!rsp->status)
		fill_report(g, &q, &rsp->report);
	h->type = SNPFW_MSG_REPORT_RSP;
	h->size = sizeof(*rsp);
}

static u32 wrap(const struct snpm_gctx *g, struct snpfw_msg_hdr *h,
		void *payload)
{
	struct snpm_gcm gcm;
	u32 ret;

	memset(h->tag, 0, sizeof(h->tag));
	h->seqno++;
	h->rsvd = 0;
	h->rsvd2 = 0;
	memset(h->rsvd3, 0, sizeof(h->rsvd3));
	gcm_init(&gcm, g, h, payload);
	ret = snpm_fw_status(snpm_port_gcm_encrypt(&gcm));
	memcpy(h->tag, gcm.tag, sizeof(gcm.tag));
	return ret;
}

static u32 check_request(const struct snpm_gctx *g,
			 const struct snpfw_guest_request *r,
			 struct snpfw_msg_hdr *h)
{
	u32 ret = check_pages(r);

	if (ret)
		return ret;
	if (g->state != SNPFW_GUEST_RUNNING)
		return SNPFW_INVALID_GUEST_STATE;
	if (!fits_page(r->response, sizeof(*h) + sizeof(struct snpfw_report_rsp)))
		return SNPFW_INVALID_PARAM;
	return read_header(r, h);
}

/*
 * The response page is the firmware's, so nobody sees what happens to be in it
 * until it is given back; only a message that is whole replaces it.
 */
static u32 answer(struct snpm_gctx *g, const struct snpfw_guest_request *r,
		  struct snpfw_msg_hdr *h, u8 *payload)
{
	u32 ret;

	if (!snpm_fw_read(payload, r->request + sizeof(*h), h->size))
		return SNPFW_INVALID_ADDRESS;
	ret = unwrap(g, h, payload);
	if (!ret)
		ret = check_sequence(g, h);
	if (!ret)
		ret = check_type(h);
	if (ret)
		return ret;
	report(g, h, payload);
	ret = wrap(g, h, payload);
	if (ret)
		return ret;
	if (!snpm_fw_write(r->response, h, sizeof(*h)) ||
	    !snpm_fw_write(r->response + sizeof(*h), payload, h->size))
		return SNPFW_INVALID_ADDRESS;
	g->msg_count[h->vmpck] += 2;
	return SNPFW_SUCCESS;
}

u32 snpm_fw_guest_request(struct snpm_gctx *g, const union snpfw_buffer *b)
{
	struct snpfw_msg_hdr h;
	u32 ret;

	ret = check_request(g, &b->guest_request, &h);
	if (!ret)
		ret = answer(g, &b->guest_request, &h,
			     snpm_scratch.bytes);
	memset(&snpm_scratch, 0, sizeof(snpm_scratch));
	return ret;
}
