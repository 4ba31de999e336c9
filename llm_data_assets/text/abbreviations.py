"""English abbreviations, in lower case, whose full stop ends no sentence."""

ABBREVIATIONS = (
    "adm. bros. co. corp. d.c. dr. e.g. gen. gov. i.e. inc. jr. ltd. md. messrs. mo. mont. mr. "
    "mrs. ms. p.m. a.m. ph.d. prof. rep. rev. sen. st. vs. v.s. mt. sr. u.s. u.k. no. fig. al. cf. "
    "jan. feb. mar. apr. jun. jul. aug. sep. sept. oct. nov. dec. "
    "ala. ariz. ark. calif. colo. conn. del. fla. ga. ia. ill. ind. kan. kans. ky. la. mass. mich. "
    "minn. miss. n.c. n.d. n.h. n.j. n.m. n.y. neb. nebr. nev. okla. ore. pa. s.c. tenn. va. wash. "
    "wis."
)
