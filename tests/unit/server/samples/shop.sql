-- Customers who have ordered at least once.
CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    mail TEXT UNIQUE,
    created_at TIMESTAMP DEFAULT now()
);

CREATE INDEX customers_mail ON customers (mail);

CREATE VIEW good_customers AS
SELECT c.id, c.name, count(*) AS orders
FROM customers c JOIN orders o ON o.customer_id = c.id
WHERE o.state = 'paid' GROUP BY c.id, c.name HAVING count(*) > 3;

INSERT INTO customers (id, name) VALUES (1, 'a'), (2, 'b');
