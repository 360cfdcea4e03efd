-- One order of three lines in one statement, hence in one round trip: the best that one order a transaction gets.
\set store random(1, :stores)
\set p1 random(1, :third)
\set p2 random(:third + 1, 2 * :third)
\set p3 random(2 * :third + 1, 3 * :third)
\set q1 random(1, 3)
\set q2 random(1, 3)
\set q3 random(1, 3)
WITH asked (line, product_id, quantity) AS (
    VALUES (1, :p1::bigint, :q1::integer), (2, :p2::bigint, :q2::integer), (3, :p3::bigint, :q3::integer)),
held AS MATERIALIZED (
    SELECT product_id, quantity FROM inventory
    WHERE store_id = :store::bigint AND product_id IN (:p1::bigint, :p2::bigint, :p3::bigint)
    ORDER BY product_id FOR NO KEY UPDATE),
judged AS MATERIALIZED (
    SELECT asked.line, asked.product_id, asked.quantity, products.price,
           CASE WHEN held.quantity IS NULL THEN 'not_stocked'
                WHEN held.quantity < asked.quantity THEN 'insufficient_stock' END AS rejection,
           coalesce(held.quantity, 0) AS on_hand
    FROM asked JOIN products ON products.id = asked.product_id LEFT JOIN held ON held.product_id = asked.product_id),
placed AS (
    INSERT INTO orders (store_id, status, total_items, total_price)
    SELECT id, (SELECT CASE WHEN bool_and(rejection IS NULL) THEN 'CONFIRMED' ELSE 'REJECTED' END FROM judged),
           (SELECT sum(quantity) FROM judged), (SELECT sum(quantity * price) FROM judged)
    FROM stores WHERE id = :store::bigint
    RETURNING store_id, id, status, created_at),
lines AS (
    INSERT INTO order_items
        (store_id, order_id, line, product_id, quantity_requested, unit_price, rejection, available)
    SELECT store_id, id, line, product_id, quantity, price, rejection, CASE WHEN rejection IS NOT NULL THEN on_hand END
    FROM placed, judged),
taken AS (
    UPDATE inventory SET quantity = inventory.quantity - asked.quantity
    FROM placed, asked
    WHERE placed.status = 'CONFIRMED'
      AND inventory.store_id = :store::bigint AND inventory.product_id = asked.product_id),
told AS (
    INSERT INTO outbox (store_id, kind, payload)
    SELECT store_id, 'order.confirmed', jsonb_build_object('store_id', store_id, 'order_id', id)
    FROM placed WHERE status = 'CONFIRMED')
INSERT INTO confirmations (store_id, order_id, created_at)
SELECT store_id, id, created_at FROM placed WHERE status = 'CONFIRMED';
