CREATE TABLE catalogue_generations (
    id  bigserial PRIMARY KEY
);

COMMENT ON TABLE catalogue_generations IS 'One row per statement that changed the catalogue. How many there are is its generation: what was derived from fewer is out of date. Owned by the crate search.';

CREATE FUNCTION catalogue_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO catalogue_generations DEFAULT VALUES;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION catalogue_changed() IS 'A row commits with the change that wrote it, so a count taken in a snapshot belongs to that snapshot; a sequence alone would run ahead.';

CREATE TRIGGER products_changed
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON products
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER categories_changed
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON categories
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
