/** The lines that are most of a mail log and no login's business: Postfix, Dovecot's LMTP, spam filters, DKIM. */

/** Each takes the words and gives what follows the host's name. */
export const noise = [
  (w) => `postfix/smtpd[${w.pid()}]: connect from ${w.peer()}[${w.peerAddress()}]`,
  (w) =>
    `postfix/smtpd[${w.pid()}]: disconnect from ${w.peer()}[${w.peerAddress()}] ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7`,
  (w) => `postfix/smtpd[${w.pid()}]: ${w.queueId()}: client=${w.peer()}[${w.peerAddress()}]`,
  (w, pool) =>
    `postfix/submission/smtpd[${w.pid()}]: ${w.queueId()}: client=unknown[${pool.at(pool.frequent())}], sasl_method=PLAIN, sasl_username=${w.user()}`,
  (w) =>
    `postfix/smtpd[${w.pid()}]: NOQUEUE: reject: RCPT from ${w.peer()}[${w.peerAddress()}]: 554 5.7.1 Service unavailable; Client host [${w.peerAddress()}] blocked using zen.dnsbl.example; from=<${w.user()}> to=<${w.user()}> proto=ESMTP helo=<${w.peer()}>`,
  (w) =>
    `postfix/smtpd[${w.pid()}]: Anonymous TLS connection established from ${w.peer()}[${w.peerAddress()}]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256`,
  (w) => `postfix/cleanup[${w.pid()}]: ${w.queueId()}: message-id=<${w.messageId()}>`,
  (w) =>
    `postfix/qmgr[${900 + w.below(4)}]: ${w.queueId()}: from=<${w.user()}>, size=${600 + w.below(200_000)}, nrcpt=${1 + w.below(3)} (queue active)`,
  (w) => `postfix/qmgr[${900 + w.below(4)}]: ${w.queueId()}: removed`,
  (w) =>
    `postfix/smtp[${w.pid()}]: ${w.queueId()}: to=<${w.user()}>, relay=${w.peer()}[${w.peerAddress()}]:25, delay=${w.decimal(9, 1)}, delays=${w.decimal(1, 2)}/0.01/${w.decimal(1, 2)}/${w.decimal(1, 2)}, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as ${w.queueId()})`,
  (w) =>
    `postfix/lmtp[${w.pid()}]: ${w.queueId()}: to=<${w.user()}>, relay=mx1.example.com[private/dovecot-lmtp], delay=${w.decimal(1, 2)}, delays=0.1/0.01/0.01/0.05, dsn=2.0.0, status=sent (250 2.0.0 <${w.user()}> ${w.delivery()} Saved)`,
  (w) =>
    `dovecot: lmtp(${w.user()})<${w.pid()}><${w.delivery()}>: msgid=<${w.messageId()}>: saved mail to INBOX`,
  (w) =>
    `spamd[${w.pid()}]: spamd: result: ${w.pick([".", "Y"])} ${w.below(9)} - BAYES_00,DKIM_SIGNED,DKIM_VALID,HTML_MESSAGE,SPF_PASS scantime=${w.decimal(1, 1)},size=${w.below(90_000)},user=debian-spamd,uid=113,required_score=5.0,rhost=localhost,raddr=127.0.0.1,rport=${w.port()},mid=<${w.messageId()}>,bayes=0.000000,autolearn=ham`,
  (w) =>
    `spamd[${w.pid()}]: spamd: connection from ip6-localhost [::1]:${w.port()} to port 783, fd 6`,
  (w) =>
    `rspamd[${w.pid()}]: <${w.digits(6)}>; proxy; rspamd_task_write_log: id: <${w.messageId()}>, qid: <${w.queueId()}>, ip: ${w.peerAddress()}, from: <${w.user()}>, (default: F (no action): [${w.decimal(9, 2)}/15.00] [BAYES_HAM(-2.90){99.5%;},DMARC_POLICY_ALLOW(-0.50){example.com;reject;},R_SPF_ALLOW(-0.20){+ip4:${w.peerAddress()};},MIME_GOOD(-0.10){text/plain;}]), len: ${w.below(90_000)}, time: ${w.decimal(900, 3)}ms, dns req: ${w.below(40)}, digest: <${w.digits(32)}>`,
  (w) => `opendkim[731]: ${w.queueId()}: DKIM verification successful`,
];
