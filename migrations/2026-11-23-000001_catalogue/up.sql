CREATE TABLE categories (
    id          bigserial PRIMARY KEY,
    name        text NOT NULL CONSTRAINT categories_name_length CHECK (length(name) BETWEEN 1 AND 200),
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT categories_moments_legal CHECK (created_at >= '0001-01-01Z' AND created_at < '10000-01-01Z')
);
CREATE UNIQUE INDEX categories_name_key ON categories (lower(name));

COMMENT ON TABLE categories IS 'What a product is filed under. Owned by the crate products.';
COMMENT ON INDEX categories_name_key IS 'One category per name, whatever its case: clients filter by name in any case.';

CREATE TABLE products (
    id           bigserial PRIMARY KEY,
    sku          text COLLATE "C" CONSTRAINT products_sku_key UNIQUE
                      CONSTRAINT products_sku_length CHECK (length(sku) BETWEEN 1 AND 100),
    title        text NOT NULL CONSTRAINT products_title_length CHECK (length(title) BETWEEN 1 AND 500),
    description  text NOT NULL DEFAULT '' CONSTRAINT products_description_length CHECK (length(description) <= 20000),
    category_id  bigint NOT NULL REFERENCES categories (id),
    price        numeric(12, 2) NOT NULL CONSTRAINT products_price_not_negative CHECK (price >= 0 AND price <> 'NaN'),
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    title_key    text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(title)) STORED,
    CONSTRAINT products_moments_legal CHECK (created_at >= '0001-01-01Z' AND created_at < '10000-01-01Z'
                                             AND updated_at >= '0001-01-01Z' AND updated_at < '10000-01-01Z')
);
CREATE INDEX products_category_id_id_idx ON products (category_id, id);
CREATE INDEX products_title_key_idx ON products (title_key, id);
CREATE INDEX products_price_idx ON products (price, id);
CREATE INDEX products_created_at_idx ON products (created_at, id);
CREATE INDEX products_category_id_created_at_idx ON products (category_id, created_at, id);
CREATE INDEX products_category_id_title_key_idx ON products (category_id, title_key, id);
CREATE INDEX products_category_id_price_idx ON products (category_id, price, id);

COMMENT ON TABLE products IS 'The catalogue, shared by all stores. Owned by the crate products.';
COMMENT ON COLUMN products.sku IS 'The merchant''s own key; unique when given. Imports match by it.';
COMMENT ON COLUMN products.price IS 'Price of one unit, with two decimals, in the one currency of the installation.';
COMMENT ON CONSTRAINT products_price_not_negative ON products IS 'NaN counts as greater than every number, and is no price either.';
COMMENT ON CONSTRAINT products_moments_legal ON products IS 'Years that RFC 3339 can write. What is beyond, infinity too, could be neither shown nor searched.';
COMMENT ON COLUMN products.title_key IS 'The title in lower case, for alphabetical lists: (title_key, id) is their total order.';
