-- What ClickHouse 26.7 makes of the ids 0 .. n-1, with {K} replaced by 12 .. 18
-- in turn: the rows of states.tsv.gz.
--   once   each id once
--   twice  every id again after the last
--   self   once, merged with itself
--   halves the even ids merged with the odd ones
--   pairs  the pairs of visitor n and the minutes 29000000 .. 29000000+n-1
-- The columns are K, n, fold, the type of the state, the SHA-256 of the state
-- (of a set, with its keys in ascending order) and, of a set of "once", the
-- state itself in hexadecimal.
WITH
    CAST([1, 16, 17, 511, 512, 513, pow(2, {K} - 5) - 1, pow(2, {K} - 5), 10000, 100000, 1000000] AS Array(UInt64)) AS sizes,
    ids AS (SELECT arrayJoin(arrayDistinct(sizes)) AS n, arrayJoin(range(n)) AS id),
    nothing AS (SELECT toUInt64(0) AS n, uniqCombined64State({K})(number) AS state FROM numbers(0)),
    once AS (SELECT n, uniqCombined64State({K})(id) AS state FROM ids GROUP BY n),
    halves AS (SELECT n, id % 2 AS half, uniqCombined64State({K})(id) AS state FROM ids GROUP BY n, half),
    every AS (
        SELECT 'once' AS fold, n, state FROM nothing
        UNION ALL
        SELECT 'once', n, state FROM once
        UNION ALL
        SELECT 'twice', n, uniqCombined64State({K})(id) FROM (SELECT n, id FROM ids UNION ALL SELECT n, id FROM ids) GROUP BY n
        UNION ALL
        SELECT 'self', n, uniqCombined64MergeState({K})(state) FROM (SELECT n, state FROM once UNION ALL SELECT n, state FROM once) GROUP BY n
        UNION ALL
        SELECT 'halves', n, uniqCombined64MergeState({K})(state) FROM (SELECT n, state FROM halves ORDER BY half) GROUP BY n
        UNION ALL
        SELECT 'pairs', n, uniqCombined64State({K})(intHash64(n) + (29000000 + id) * 11400714819323198485) FROM ids WHERE n <= 10000 GROUP BY n
    ),
    states AS (
        SELECT n, fold, unhex(hex(state)) AS bytes, ascii(bytes) AS type,
            if(n < 128, 2, 3) AS head,
            arraySort(arrayMap(i -> reverse(substring(bytes, head + 1 + 8 * i, 8)), if(type = 3, [], range(n)))) AS keys
        FROM every
    )
SELECT
    {K} AS k,
    n,
    fold,
    type,
    lower(hex(SHA256(if(type = 3, bytes, substring(bytes, 1, head) || arrayStringConcat(arrayMap(key -> reverse(key), keys)))))) AS sha256,
    if(fold = 'once' AND type != 3, lower(hex(bytes)), '') AS whole
FROM states
ORDER BY n, fold
SETTINGS max_threads = 1
FORMAT TSV
