/*
 * unrouted: which alerts no route wanted.
 *
 * Nothing marks them in the store: it is that no event of their episode has a row. A row that is
 * there is found at once, so to ask costs little but for the alerts that have none. An event that
 * still waits for its context is not routed yet.
 */
#ifndef CLI_UNROUTED_H
#define CLI_UNROUTED_H

/* SQL: is the alert a (of v_alerts) in an episode that nobody was ever told of? */
#define UNROUTED                                                                        \
	"(a.last_event <> 0 AND a.state <> 'silent' AND "                               \
	"(SELECT wait_until FROM v_events WHERE id = a.last_event) IS NULL AND "        \
	"NOT EXISTS ("                                                                  \
	"WITH RECURSIVE chain(id) AS (SELECT a.last_event UNION ALL "                   \
	"SELECT e.prev FROM chain JOIN v_events e ON e.id = chain.id WHERE e.seq > 1) " \
	"SELECT 1 FROM chain CROSS JOIN v_deliveries d "                                \
	"WHERE d.id >= chain.id << 27 AND d.id < (chain.id + 1) << 27))"

#endif
