// SPDX-License-Identifier: GPL-2.0-only
/* GUEST_REQUEST: a guest's messages and the report. */
#include <string.h>

#include "host.h"
#include "snp_port.h"

static u64 request;
static struct snpfw_msg_hdr *hdr;
static struct snpfw_report_req *req;
static u8 key[32];

/* What the guest means to say, not yet encrypted. */
static void compose(u8 vmpck, u64 seqno)
{
	memset(hdr, 0, PAGE_SIZE);
	*hdr = (struct snpfw_msg_hdr) {
		.seqno = seqno, .algo = SNPFW_MSG_ALGO_GCM,
		.hdr_version = SNPFW_MSG_HDR_VERSION,
		.hdr_size = sizeof(*hdr), .type = SNPFW_MSG_REPORT_REQ,
		.version = SNPFW_MSG_VERSION, .size = sizeof(*req),
		.vmpck = vmpck,
	};
	req->vmpl = vmpck;
	memset(req->data, 0x5d, sizeof(req->data));
}

static struct snpm_gcm gcm_of(struct snpfw_msg_hdr *h)
{
	struct snpm_gcm g = {
		.aad = &h->algo, .aad_size = 0x30, .data = h + 1,
		.size = h->size,
	};

	memcpy(g.key, key, sizeof(g.key));
	memcpy(g.iv, &h->seqno, 8);
	memcpy(g.tag, h->tag, 16);
	return g;
}

static void encrypt(void)
{
	struct snpm_gcm g = gcm_of(hdr);

	expect_eq(crypto_gcm(&g, true), SNPM_PORT_OK);
	memcpy(hdr->tag, g.tag, 16);
}

static void setup_vmpck(u8 vmpck)
{
	request = any_page();
	hdr = machine_va(request);
	req = (void *)(hdr + 1);
	memcpy(key, gctx()->vmpck[vmpck], sizeof(key));
	compose(vmpck, 1);
}

static void setup(void)
{
	world_running();
	setup_vmpck(0);
}

#define request_is(status) fw_is(status, GUEST_REQUEST, \
	.guest_request = { w.gctx, request, w.out })

/* The response, decrypted; its status is in there. */
static struct snpfw_report_rsp *response(u64 seqno, u8 vmpck)
{
	struct snpfw_msg_hdr *h = machine_va(w.out);
	struct snpm_gcm g = gcm_of(h);

	expect_eq(h->seqno, seqno);
	expect_eq(h->type, SNPFW_MSG_REPORT_RSP);
	expect_eq(h->vmpck, vmpck);
	expect_eq(h->size, sizeof(struct snpfw_report_rsp));
	expect_eq(crypto_gcm(&g, false), SNPM_PORT_OK);
	return (void *)(h + 1);
}

static void test_report(void)
{
	const struct snpfw_report *r;

	setup();
	encrypt();
	request_is(SUCCESS);
	expect_eq(response(2, 0)->status, 0);
	r = (void *)((u8 *)machine_va(w.out) + 0x60 + 0x20);
	expect_eq(r->version, 2);
	expect_eq(r->policy, POLICY);
	expect_eq(r->vmpl, 0);
	expect_eq(r->report_data[63], 0x5d);
	expect_eq(r->current_minor, SNPFW_API_MINOR);
	expect(!memcmp(r->measurement, gctx()->ld, 48), "measurement");
	expect(!memcmp(r->report_id, gctx()->report_id, 32), "report ID");
	/* Nobody can take it for a real one */
	expect_eq(r->signature_algo, 0);
	expect_eq(r->flags >> 2 & 7, 7);
	expect(snpm_fw_is_zero(r->signature, sizeof(r->signature)), "signed");
	expect(strstr((char *)r->chip_id, "UNSIGNED"), "no mark");
}

static void test_host_data(void)
{
	const struct snpfw_report *r;

	world_launching();
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(ZERO, guest_page(0)));
	fw_is(SUCCESS, LAUNCH_FINISH, .launch_finish = {
		.gctx = w.gctx, .host_data = { 9, 8, 7 } });
	fw_is(SUCCESS, CONFIG, .config = { 1, SNPFW_MASK_CHIP_KEY });
	/* As after an ID block, which needs keys: see id_test.c */
	gctx()->has_author = true;
	gctx()->id_block.guest_svn = 0x1234;
	gctx()->id_key_digest[0] = 0x77;
	setup_vmpck(3);
	encrypt();
	request_is(SUCCESS);
	r = &response(2, 3)->report;
	expect(r->flags & SNPFW_REPORT_AUTHOR, "no author key");
	expect_eq(r->guest_svn, 0x1234);
	expect_eq(r->id_key_digest[0], 0x77);
	expect_eq(r->vmpl, 3);
	expect_eq(r->host_data[2], 7);
	expect_eq(r->reported_tcb, 1);
	expect_eq(r->current_tcb, SNPM_TCB);
	expect(r->flags & SNPFW_REPORT_MASKED, "the key is not masked");
	expect(!snpm_fw_is_zero(r->measurement, 48), "no measurement");
}

static void test_sequence(void)
{
	setup();
	for (u64 i = 1; i < 9; i += 2) {
		compose(0, i);
		encrypt();
		request_is(SUCCESS);
		response(i + 1, 0);
		expect_eq(gctx()->msg_count[0], i + 1);
		/* Once is enough */
		compose(0, i);
		encrypt();
		request_is(AEAD_OFLOW);
	}
	compose(0, 11);
	encrypt();
	request_is(AEAD_OFLOW);
	/* Keys count for themselves */
	memcpy(key, gctx()->vmpck[1], sizeof(key));
	compose(1, 1);
	encrypt();
	request_is(SUCCESS);
	expect_eq(gctx()->msg_count[0], 8);
	expect_eq(gctx()->msg_count[1], 2);
	gctx()->msg_count[1] = ~0ULL - 1;
	compose(1, ~0ULL);
	encrypt();
	request_is(AEAD_OFLOW);
}

static void test_header(void)
{
	setup();
	encrypt();
	hdr->algo = 2;
	request_is(INVALID_PARAM);
	hdr->algo = 1;
	hdr->hdr_version = 2;
	request_is(INVALID_PARAM);
	hdr->hdr_version = 1;
	hdr->hdr_size = 0x61;
	request_is(INVALID_PARAM);
	hdr->hdr_size = 0x60;
	hdr->size = 0;
	request_is(INVALID_PARAM);
	hdr->size = 0x61;
	request_is(INVALID_PARAM);
	hdr->size = 0x1000;
	request_is(INVALID_PARAM);
	hdr->size = 0x60;
	hdr->vmpck = 4;
	request_is(INVALID_PARAM);
	hdr->vmpck = 0;
	request_is(SUCCESS);
}

/* Each byte that counts: encrypted, authenticated, or the tag. */
static void test_tampering(void)
{
	setup();
	encrypt();
	hdr->rsvd3[5]++;
	request_is(BAD_MEASUREMENT);
	hdr->rsvd3[5]--;
	hdr->tag[15]++;
	request_is(BAD_MEASUREMENT);
	hdr->tag[15]--;
	req->data[3]++;
	request_is(BAD_MEASUREMENT);
	req->data[3]--;
	hdr->seqno++;
	request_is(BAD_MEASUREMENT);
	hdr->seqno--;
	hdr->vmpck = 1;
	request_is(BAD_MEASUREMENT);
	hdr->vmpck = 0;
	request_is(SUCCESS);
}

static void test_type(void)
{
	setup();
	hdr->version = 2;
	encrypt();
	request_is(INVALID_PARAM);
	compose(0, 1);
	hdr->version = 0;
	encrypt();
	request_is(INVALID_PARAM);
	expect_eq(machine.unmodelled, 0);
	for (u8 type = 0; type <= SNPFW_MSG_LAST + 1; type++) {
		if (type == SNPFW_MSG_REPORT_REQ)
			continue;
		compose(0, 1);
		hdr->type = type;
		encrypt();
		request_is(INVALID_PARAM);
	}
	expect_eq(machine.unmodelled, SNPFW_MSG_LAST + 1);
	compose(0, 1);
	hdr->size = 0x50;
	encrypt();
	request_is(INVALID_PARAM);
	compose(0, 1);
	hdr->size = 0x70;
	encrypt();
	request_is(SUCCESS);
}

/* The guest's fault: a response that says so, and nothing else. */
static void told(u32 status, u64 seqno)
{
	const struct snpfw_report_rsp *r;

	encrypt();
	request_is(SUCCESS);
	r = response(seqno + 1, hdr->vmpck);
	expect_eq(r->status, status);
	expect(snpm_fw_is_zero(&r->report, sizeof(r->report)), "a report");
}

static void test_request(void)
{
	setup();
	req->rsvd[23] = 1;
	told(SNPFW_INVALID_PARAM, 1);
	compose(0, 3);
	req->key_sel = 4;
	told(SNPFW_INVALID_PARAM, 3);
	compose(0, 5);
	req->key_sel = SNPFW_KEY_VLEK;
	told(SNPFW_INVALID_KEY, 5);
	compose(0, 7);
	req->key_sel = 3;
	told(SNPFW_INVALID_KEY, 7);
	compose(0, 9);
	req->vmpl = 4;
	told(SNPFW_INVALID_PARAM, 9);
	/* Not for a VMPL above one's own */
	memcpy(key, gctx()->vmpck[2], sizeof(key));
	compose(2, 1);
	req->vmpl = 1;
	told(SNPFW_INVALID_PARAM, 1);
}

static void test_no_vcek(void)
{
	world_launching();
	fw_is(SUCCESS, LAUNCH_FINISH, .launch_finish = {
		.gctx = w.gctx, .flags = SNPFW_FINISH_NO_VCEK });
	setup_vmpck(0);
	told(SNPFW_INVALID_KEY, 1);
}

static void test_pages(void)
{
	u64 large;

	world_launching();
	setup_vmpck(0);
	encrypt();
	request_is(INVALID_GUEST_STATE);
	fw_is(SUCCESS, LAUNCH_FINISH, .launch_finish = { .gctx = w.gctx });
	large = any_region();
	rmp_is(SUCCESS, large, .assigned = 1, .immutable = 1, .pagesize = 1);
	fw_is(INVALID_PAGE_STATE, GUEST_REQUEST,
	      .guest_request = { w.gctx, request, request });
	fw_is(INVALID_PAGE_STATE, GUEST_REQUEST,
	      .guest_request = { w.gctx, request, UNCOVERED });
	fw_is(INVALID_PAGE_SIZE, GUEST_REQUEST,
	      .guest_request = { w.gctx, request, large });
	fw_is(INVALID_PAGE_SIZE, GUEST_REQUEST,
	      .guest_request = { w.gctx, large, w.out });
	fw_is(INVALID_PARAM, GUEST_REQUEST,
	      .guest_request = { w.gctx, request + 0xfa1, w.out });
	fw_is(INVALID_PARAM, GUEST_REQUEST,
	      .guest_request = { w.gctx, request, w.out + 0xae1 });
	fw_is(INVALID_ADDRESS, GUEST_REQUEST,
	      .guest_request = { w.gctx, NOWHERE, w.out });
	machine.hole = w.out;
	request_is(INVALID_ADDRESS);
	machine.hole = NOWHERE;
	expect_eq(gctx()->msg_count[0], 0);
	request_is(SUCCESS);
}

static void test_unsupported(void)
{
	setup();
	machine.no_crypto = true;
	request_is(UNSUPPORTED);
	expect_eq(machine.unmodelled, 1);
}

int main(void)
{
	const struct test tests[] = {
		{ "a report", test_report, needs_crypto },
		{ "what the host has put into it", test_host_data, needs_crypto },
		{ "sequence numbers", test_sequence, needs_crypto },
		{ "the header", test_header, needs_crypto },
		{ "tampering", test_tampering, needs_crypto },
		{ "versions and types", test_type, needs_crypto },
		{ "bad requests", test_request, needs_crypto },
		{ "without a VCEK", test_no_vcek, needs_crypto },
		{ "pages", test_pages, needs_crypto },
		{ "where nobody can decrypt", test_unsupported },
	};

	return run_tests("message", tests, ARRAY_SIZE(tests));
}
