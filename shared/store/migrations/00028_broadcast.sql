-- +goose Up
CREATE TABLE broadcast (
  id        BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
  wallet    BINARY(20)  NOT NULL,
  nonce     BIGINT      NOT NULL,
  attempt   SMALLINT    NOT NULL,
  kind      VARCHAR(10) NOT NULL,
  hash      BINARY(32)  NOT NULL,
  raw       MEDIUMBLOB  NOT NULL,
  state     VARCHAR(10) NOT NULL,
  signed_at DATETIME(6) NOT NULL,
  block     BIGINT      NULL,
  gas       BIGINT      NULL,
  UNIQUE KEY broadcast_once (wallet, nonce, attempt),
  UNIQUE KEY broadcast_hash (hash),
  KEY broadcast_state (state, wallet, nonce),
  KEY broadcast_block (block),
  CONSTRAINT broadcast_state CHECK (state IN ('signed', 'mined', 'reverted', 'replaced'))
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
