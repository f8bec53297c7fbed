"""An old shop: as many orders as wanted, with all that such orders leave behind.

Written by the database itself, from MariaDB's sequences: a hundred thousand take seconds. Seven
of ten are paid, two expired, one was cancelled; each is of two seats, a third of them entered.
"""

from bench.stage import connect, put_on_sale

PAID_OF_TEN, EXPIRED_OF_TEN = 7, 2
STATUS = f"""CASE WHEN n.seq % 10 < {PAID_OF_TEN} THEN 'PAID'
    WHEN n.seq % 10 < {PAID_OF_TEN + EXPIRED_OF_TEN} THEN 'EXPIRED' ELSE 'CANCELLED' END"""
IS_PAID = f"n.seq % 10 < {PAID_OF_TEN}"
# One every half minute, the newest a day ago.
MADE = "UTC_TIMESTAMP(6) - INTERVAL 1 DAY - INTERVAL n.seq * 30 SECOND"
CODE = "CONCAT('TXOLD', LPAD(n.seq, 7, '0'))"
JOBS = ("expire_order", "open_invoice", "read_back", "confirm_payment", "deliver_etickets")

USERS = f"""INSERT INTO users (id, full_name, email, no_hp, created_at)
    SELECT n.seq, CONCAT('Pembeli ', n.seq), CONCAT('pembeli', n.seq, '@example.com'),
        CONCAT('+62812', LPAD(n.seq, 8, '0')), {MADE} FROM seq_1_to_{{orders}} n"""
ORDERS = f"""INSERT INTO orders (id, code, token, user_id, status, total, locale, request_id,
        created_at, expires_at, extensions, paid_at)
    SELECT n.seq, {CODE}, SHA2(n.seq, 224), n.seq, {STATUS}, 300000, 'id', 'seeding', {MADE},
        {MADE} + INTERVAL 30 MINUTE, 0, IF({IS_PAID}, {MADE} + INTERVAL 5 MINUTE, NULL)
    FROM seq_1_to_{{orders}} n"""
ITEMS = """INSERT INTO order_items (id, order_id, ticket_id, quantity, price, attendees)
    SELECT n.seq, n.seq, {ticket}, 2, 150000, '["Sari Dewi", "Budi Santoso"]'
    FROM seq_1_to_{orders} n"""
PAYMENTS = f"""INSERT INTO payments (id, order_id, status, amount, external_id, invoice_id,
        invoice_url, create_attempts, paid_at, paid_amount, method, channel)
    SELECT n.seq, n.seq, IF({IS_PAID}, 'PAID', 'EXPIRED'), 300000, {CODE}, LEFT(SHA1(n.seq), 24),
        CONCAT('https://example.com/', n.seq), 1, IF({IS_PAID}, {MADE} + INTERVAL 5 MINUTE, NULL),
        IF({IS_PAID}, 300000, NULL), IF({IS_PAID}, 'EWALLET', NULL), IF({IS_PAID}, 'OVO', NULL)
    FROM seq_1_to_{{orders}} n"""
SEATS = f"""INSERT INTO e_tickets (order_id, ticket_id, number, attendee, code, qr_text, created_at,
        seat_id, admitted_at, admitted_gate, is_inside)
    SELECT n.seq, {{ticket}}, s.seq, 'Sari Dewi', LPAD(CONV(n.seq * 2 + s.seq, 10, 32), 8, '0'),
        SHA2(n.seq * 2 + s.seq, 256), {MADE}, n.seq * 2 + s.seq,
        IF(n.seq % 3 = 0, {MADE}, NULL), IF(n.seq % 3 = 0, 'A', NULL), n.seq % 3 = 0
    FROM seq_1_to_{{orders}} n JOIN seq_1_to_2 s WHERE {IS_PAID}"""
CHECK_INS = """INSERT INTO check_ins (scan_id, e_ticket_id, code, direction, result, is_offline,
        gate, scanned_at, happened_at, created_at)
    SELECT UUID(), id, code, 'in', 'admitted', 0, 'A', admitted_at, admitted_at, admitted_at
    FROM e_tickets WHERE admitted_at IS NOT NULL"""
CALLBACKS = f"""INSERT INTO callbacks (payment_id, invoice_id, status, xendit_payment_id, body,
        deliveries, request_id, received_at)
    SELECT n.seq, LEFT(SHA1(n.seq), 24), IF({IS_PAID}, 'PAID', 'EXPIRED'), SHA1(n.seq),
        REPEAT('x', 900), 1, 'seeding', {MADE} FROM seq_1_to_{{orders}} n"""
DONE_JOBS = f"""INSERT INTO jobs (kind, payload, status, due_at, attempts, request_id, created_at,
        finished_at)
    SELECT '{{kind}}', JSON_OBJECT('order_id', n.seq), 'done', {MADE}, 1, 'seeding', {MADE}, {MADE}
    FROM seq_1_to_{{orders}} n"""
MAILS = f"""INSERT INTO mails (order_id, name, about, recipient, subject, message_id, attachments,
        sent_at)
    SELECT n.seq, 'etickets', '', CONCAT('pembeli', n.seq, '@example.com'), 'E-tiket',
        CONCAT(n.seq, '@example.com'), '["e-tickets.pdf (25000)"]', {MADE}
    FROM seq_1_to_{{orders}} n WHERE {IS_PAID}"""
STOCK = """UPDATE ticket_stock SET sold = (SELECT COUNT(*) FROM e_tickets WHERE
    ticket_id = {ticket}) WHERE ticket_id = {ticket}"""
TABLES = (USERS, ORDERS, ITEMS, PAYMENTS, SEATS, CHECK_INS, CALLBACKS, MAILS, STOCK)


def seed_orders(url: str, orders: int) -> None:
    """Fill an empty, migrated database with so many old orders, and tell it to look at itself."""
    ticket = put_on_sale(url, "Lama", 2 * orders)
    done = [DONE_JOBS.replace("{kind}", kind) for kind in JOBS]
    with connect(url) as connection, connection.cursor() as cursor:
        for statement in (*TABLES, *done):
            cursor.execute(statement.format(orders=orders, ticket=ticket))
            connection.commit()
        cursor.execute("SHOW TABLES")
        names = ", ".join(row[0] for row in cursor.fetchall())
        cursor.execute(f"ANALYZE TABLE {names}")
