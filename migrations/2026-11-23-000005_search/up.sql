CREATE TABLE search_changes (
    id          bigserial,
    xid         bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    kind        text NOT NULL,
    product_id  bigint,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (xid, id)
);

COMMENT ON TABLE search_changes IS 'What has changed of the catalogue and of what is in stock, for the search indexes to follow. Written by triggers, so that changes made by hand count too; pruned by the followers. Without CHECKs, which PostgreSQL would parse anew for every row that a trigger writes: half of the trigger''s cost. Owned by the crate search.';
COMMENT ON COLUMN search_changes.xid IS 'The transaction that made the change. Followers tell by it what they have not seen: ids are given out before transactions commit, so they have gaps that fill up later.';
COMMENT ON COLUMN search_changes.kind IS 'title: a product came, went, or has another title. product: anything else of a product. category: some category. everything: a table was emptied.';

CREATE TABLE search_log (
    id            bigint PRIMARY KEY CONSTRAINT search_log_single CHECK (id = 1),
    pruned_below  bigint NOT NULL DEFAULT 0,
    pruned_titles bigint NOT NULL DEFAULT 0
);
INSERT INTO search_log (id) VALUES (1);

COMMENT ON TABLE search_log IS 'What is gone from search_changes: one row. Owned by the crate search.';
COMMENT ON COLUMN search_log.pruned_below IS 'Changes of transactions below this may be gone: who has not seen one of them must begin anew.';
COMMENT ON COLUMN search_log.pruned_titles IS 'How many changes of titles are gone. With those still there it is the catalogue''s generation.';

CREATE FUNCTION search_product_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.id = NEW.id AND OLD.title = NEW.title THEN
        INSERT INTO search_changes (kind, product_id) VALUES ('product', NEW.id);
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO search_changes (kind, product_id) VALUES ('title', OLD.id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO search_changes (kind, product_id) VALUES ('title', NEW.id);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER products_came_or_went
    AFTER INSERT OR DELETE ON products
    FOR EACH ROW WHEN (current_setting('search.told', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION search_product_changed();
CREATE TRIGGER products_changed
    AFTER UPDATE ON products
    FOR EACH ROW
    WHEN ((OLD.id, OLD.title, OLD.description, OLD.category_id, OLD.price, OLD.created_at)
          IS DISTINCT FROM (NEW.id, NEW.title, NEW.description, NEW.category_id, NEW.price, NEW.created_at)
          AND current_setting('search.told', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION search_product_changed();

CREATE FUNCTION search_category_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_changes (kind) VALUES ('category');
    RETURN NULL;
END
$$;

CREATE TRIGGER categories_changed
    AFTER INSERT OR UPDATE OR DELETE ON categories
    FOR EACH ROW EXECUTE FUNCTION search_category_changed();

CREATE FUNCTION search_stock_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO search_changes (kind, product_id) VALUES ('product', OLD.product_id);
    END IF;
    IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND OLD.product_id <> NEW.product_id THEN
        INSERT INTO search_changes (kind, product_id) VALUES ('product', NEW.product_id);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER inventory_came
    AFTER INSERT ON inventory
    FOR EACH ROW WHEN (NEW.quantity <> 0 AND current_setting('search.told', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION search_stock_changed();
CREATE TRIGGER inventory_went
    AFTER DELETE ON inventory
    FOR EACH ROW WHEN (OLD.quantity <> 0) EXECUTE FUNCTION search_stock_changed();
CREATE TRIGGER inventory_sold_out_or_restocked
    AFTER UPDATE ON inventory
    FOR EACH ROW WHEN ((OLD.quantity = 0) <> (NEW.quantity = 0)
                       AND current_setting('search.told', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION search_stock_changed();
CREATE TRIGGER inventory_moved
    AFTER UPDATE OF store_id, product_id ON inventory
    FOR EACH ROW EXECUTE FUNCTION search_stock_changed();

CREATE FUNCTION search_tell(kind text, product_ids bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_changes (kind, product_id) SELECT kind, unnest(product_ids);
$$;
COMMENT ON FUNCTION search_tell IS 'For bulk work that has SET LOCAL search.told = ''on'', which keeps the triggers from telling of each row for itself: it has to tell of them here, at a fraction of the cost.';

CREATE FUNCTION search_everything_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_changes (kind) VALUES ('everything');
    RETURN NULL;
END
$$;

CREATE TRIGGER products_emptied AFTER TRUNCATE ON products FOR EACH STATEMENT EXECUTE FUNCTION search_everything_changed();
CREATE TRIGGER categories_emptied AFTER TRUNCATE ON categories FOR EACH STATEMENT EXECUTE FUNCTION search_everything_changed();
CREATE TRIGGER inventory_emptied AFTER TRUNCATE ON inventory FOR EACH STATEMENT EXECUTE FUNCTION search_everything_changed();
COMMENT ON TRIGGER inventory_sold_out_or_restocked ON inventory IS 'Fires only when a stock crosses zero, so that an ordinary order calls no trigger.';
