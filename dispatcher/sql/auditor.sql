-- name: log
SELECT act, subject, detail, at FROM audit WHERE act IN ('release', 'retract') AND county = :county AND at >= :since ORDER BY seq;

-- name: found
SELECT n.id, n.alert, n.village, n.state, n.purpose, n.expires_at, n.next_due,
    (SELECT count(*) FROM deliveries d WHERE d.notice = n.id AND d.channel <> 'duty_room' AND d.accepted_at IS NOT NULL) AS reached,
    (SELECT count(*) FROM answers a WHERE a.notice = n.id) AS answers
FROM notices n WHERE n.alert IN EACH(:alerts);
