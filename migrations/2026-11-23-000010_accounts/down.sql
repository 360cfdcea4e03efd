DROP TABLE audit_log;
DROP TABLE tokens;
DROP TABLE sign_in_attempts;
DROP TABLE sessions;
DROP TABLE staff;
