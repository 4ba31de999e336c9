"""Stop words of a language, as FineWeb-2 lists them (its configs/, Apache-2.0)."""

# Gopher's eight (Rae et al. 2021, appendix A.1.1).
GOPHER = ("the", "be", "to", "of", "and", "that", "have", "with")

BY_LANGUAGE = {
    "ar": "، في من على إلى عام أن مع أو هو عن التي كان بين ما كانت هي المتحدة بعد",
    "de": "der und die in von im den des mit das er dem als wurde für",
    "es": "de la en el y a que del los se por un con una las su",
    "fr": "de la le et à en l' des du les est d' un une il dans par au",
    "it": "di e il la in a del che è della un per nel l' con da i una",
    "ja": "の に を は た て が と で 年 し ・ 月 れ さ",
    "ko": "의 다 이 는 에 을 한 년 하 은 를 했 고 에서 가 있 으로 인 월 로 되",
    "pt": "de a e o em do da que um no uma com para na é foi",
    "ru": "в и на с года по году из был к не от что за для его как а он также до после",
    "th": "ใน ที่ และ ของ เป็น มี การ ได้",
    "vi": "là và của một được trong năm các có loài này đã người",
    "zh": "的 年 在 月 是 和 日 了 於 · 為 有 被 人 中 为 他 與 後 也 而 由",
}
