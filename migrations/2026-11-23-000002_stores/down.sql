DROP TABLE stock_adjustments;
DROP TABLE inventory;
DROP TABLE stores;
