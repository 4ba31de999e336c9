SELECT source, kind, count(*) AS pairs, sum(seconds) / 3600 AS hours,
       median(width * height)::BIGINT AS median_pixels, sum(n_bytes)::BIGINT AS caption_bytes
FROM filtered_pairs
GROUP BY ALL
