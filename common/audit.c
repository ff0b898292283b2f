/*
 * audit.c - lines that outlive the log: deeds, changes, withdrawals
 * SPDX-License-Identifier: Apache-2.0
 */

#include "api_json.h"
#include "audit.h"
#include "clock.h"

void
audit_write(struct cimd *r, const struct log_line *line)
{
	int64_t now = clock_utc();
	const char *text;
	struct maker m;
	size_t len;

	log_write(r->log, line);
	maker_init(&m);
	put_int(&m, NULL, "time", now);
	put_string(&m, NULL, "event", line->event);
	put_span(&m, NULL, "client_id", line->client_id);
	if (line->uid != NULL)
		put_int(&m, NULL, "uid", *line->uid);
	put_string(&m, NULL, "rule", line->rule);
	put_string(&m, NULL, "detail", line->detail);
	put_string(&m, NULL, "code", cimd_err_name(line->code));
	if (line->err != NULL)
		put_string(&m, NULL, "text", line->err->text);
	if ((text = maker_text(&m, &len)) != NULL)
		(void)store_audit(r->store, now, text, NULL);
	maker_clear(&m);
}
