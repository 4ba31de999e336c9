SELECT * FROM checks
QUALIFY row_number() OVER (PARTITION BY asset, partition, "check" ORDER BY ts DESC) = 1
