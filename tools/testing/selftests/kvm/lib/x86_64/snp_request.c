// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's request to the firmware for a report of itself, which runs in the
 * guest: the host carries the message and cannot read it.
 */
#include "snp.h"

#define VMPCK	0

/* In private memory; what is shared holds only what is encrypted. */
static struct snp_message message;

static void set_gcm(struct snp_gcm *gcm, uint8_t iv[GCM_IV_SIZE])
{
	memset(iv, 0, GCM_IV_SIZE);
	memcpy(iv, &message.seqno, sizeof(message.seqno));
	*gcm = (struct snp_gcm) {
		.key = snp_this_cpu()->secrets->vmpck[VMPCK],
		.iv = iv,
		.aad = &message.algo,
		.aad_size = SNP_MESSAGE_AAD,
		.data = message.payload,
		.size = message.size,
	};
}

static void make_request(uint64_t seqno, uint8_t byte)
{
	struct snp_report_req *request = (void *)message.payload;
	uint8_t iv[GCM_IV_SIZE];
	struct snp_gcm gcm;

	memset(&message, 0, sizeof(message));
	message.seqno = seqno;
	message.algo = SNP_MESSAGE_GCM;
	message.header_version = 1;
	message.header_size = offsetof(struct snp_message, payload);
	message.type = SNP_MSG_REPORT_REQ;
	message.version = 1;
	message.size = sizeof(*request);
	message.vmpck = VMPCK;
	memset(request->data, byte, sizeof(request->data));
	set_gcm(&gcm, iv);
	snp_gcm_encrypt(&gcm);
	memcpy(message.tag, gcm.tag, sizeof(gcm.tag));
}

static bool read_response(uint64_t seqno)
{
	uint8_t iv[GCM_IV_SIZE];
	struct snp_gcm gcm;

	if (message.seqno != seqno || message.type != SNP_MSG_REPORT_RSP ||
	    message.size != sizeof(struct snp_report_rsp))
		return false;
	set_gcm(&gcm, iv);
	memcpy(gcm.tag, message.tag, sizeof(gcm.tag));
	return snp_gcm_decrypt(&gcm);
}

/* For one vCPU: there is one sequence of messages for each VMPCK. */
/* With @pages for certificates, or without; returns as guest_report() does. */
static uint64_t report(uint64_t byte, bool extended, uint64_t certs,
		       uint64_t pages)
{
	const struct snp_report_rsp *answer = (void *)message.payload;
	struct snp_cpu *cpu = snp_this_cpu();
	uint64_t request = SNP_REQUEST(cpu->id), ret;
	uint64_t response = SNP_RESPONSE(cpu->id);

	make_request(cpu->seqno, byte);
	memcpy((void *)request, &message, sizeof(message));
	if (extended)
		ret = guest_ext_request(request, response, certs, pages);
	else
		ret = guest_vmgexit(SNP_EXIT_REQUEST, request, response, 0);
	if (ret)
		return ret;
	memcpy(&message, (void *)response, sizeof(message));
	if (!read_response(cpu->seqno + 1))
		return SNP_REPORT_BROKEN;
	cpu->seqno += 2;
	cpu->mailbox->report = answer->report;
	return answer->status;
}

uint64_t guest_report(uint64_t byte)
{
	return report(byte, false, 0, 0);
}

uint64_t guest_ext_report(uint64_t byte, uint64_t certs, uint64_t pages)
{
	return report(byte, true, certs, pages);
}
