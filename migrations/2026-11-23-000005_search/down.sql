DROP TRIGGER categories_changed ON categories;
DROP TRIGGER products_changed ON products;
DROP FUNCTION catalogue_changed();
DROP TABLE catalogue_generations;
