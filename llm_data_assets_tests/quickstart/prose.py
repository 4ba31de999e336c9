"""Prose of the embedded corpus, written for this project and placed under CC0-1.0.

Each article is about one thing in one place. Its sentences are drawn from the lists below by a
seeded generator, so that there are enough distinct documents without anyone else's text.
"""

import random

# thing, people who work with it, material, tool, a place, a trouble, a season
TOPICS = [
    ("harbour", "pilots", "granite", "lead line", "Norrevik", "silt", "autumn"),
    ("bakery", "bakers", "rye flour", "peel", "Oldmill Lane", "damp grain", "winter"),
    ("stone bridge", "masons", "sandstone", "plumb bob", "the Ashe valley", "frost", "spring"),
    ("weather station", "observers", "brass", "barometer", "Cairn Top", "lightning", "summer"),
    ("beehive", "beekeepers", "wax", "smoker", "Linden Farm", "mites", "early summer"),
    ("map room", "surveyors", "linen paper", "theodolite", "Castle Street", "mould", "autumn"),
    ("clock tower", "clockmakers", "cast iron", "loupe", "Market Square", "rust", "winter"),
    ("kitchen garden", "gardeners", "compost", "dibber", "Hollow Road", "slugs", "spring"),
    ("tide mill", "millers", "oak", "sluice key", "Saltmarsh Quay", "barnacles", "late summer"),
    ("lighthouse", "keepers", "prism glass", "oil can", "Skerry Point", "fog", "winter"),
    ("chess club", "players", "boxwood", "score sheet", "the old library", "draughts", "autumn"),
    ("reading room", "librarians", "buckram", "card index", "Mill Bank", "silverfish", "spring"),
    ("narrow railway", "drivers", "steel", "oil lamp", "Fernhill", "wet leaves", "autumn"),
    ("glass workshop", "blowers", "soda ash", "blowpipe", "Kiln Yard", "air bubbles", "winter"),
    ("salt pan", "rakers", "clay", "wooden rake", "Greyshore", "rain", "summer"),
    ("paper mill", "vat men", "cotton rag", "mould frame", "Water Street", "iron stains", "spring"),
    ("rope walk", "spinners", "hemp", "top", "Anchor Row", "rot", "summer"),
    ("orchard", "growers", "grafting wax", "pruning knife", "Quince Hill", "canker", "late autumn"),
    ("observatory", "watchers", "mirror silver", "eyepiece", "High Moor", "haze", "winter"),
    ("canal lock", "lock keepers", "elm planks", "windlass", "Three Bridges", "drift wood", "spring"),
    ("pottery", "potters", "stoneware clay", "turning rib", "Chapel Bottom", "cracks", "autumn"),
    ("dairy", "cheese makers", "rennet", "curd knife", "Upper Pasture", "heat", "summer"),
    ("print shop", "compositors", "lead type", "composing stick", "Ink Alley", "dust", "winter"),
    ("bell foundry", "founders", "bell bronze", "tuning fork", "Forge End", "hidden flaws", "spring"),
    ("wind pump", "wheelwrights", "ash wood", "spoke shave", "Fen Drove", "gales", "autumn"),
    ("herb shop", "herbalists", "dried mint", "mortar", "Barley Court", "moths", "summer"),
    ("sail loft", "sailmakers", "flax canvas", "palm and needle", "Boat Strand", "salt", "winter"),
    ("slate quarry", "splitters", "blue slate", "chisel", "Pen Ridge", "rock falls", "spring"),
    ("puppet theatre", "carvers", "lime wood", "gouge", "Lantern Yard", "torn strings", "winter"),
    ("mountain hut", "wardens", "larch shingles", "ice axe", "Col de Brume", "snow drifts", "early spring"),
]  # fmt: skip

SENTENCES = [
    "The {thing} at {place} has been in use for longer than anyone in the village can remember.",
    "Most visitors who come to {place} want to see the {thing} before they ask about anything else.",
    "In {season} the {people} begin their work an hour before the sun is over the roofs.",
    "They keep the {tool} in a dry cupboard, because a day of neglect can spoil a year of care.",
    "Good {material} is not cheap, and the {people} have learned to waste very little of it.",
    "The trouble that they fear most is {trouble}, which arrives slowly and is noticed late.",
    "An old notebook in the {thing} tells how {trouble} was dealt with two generations ago.",
    "It says that patience was worth more to the {people} than strength, and that still holds.",
    "Children from the school at {place} are allowed to try the {tool} once they can explain it.",
    "Each of the {people} has a different opinion about how {material} ought to be stored.",
    "What they agree on is that the {thing} should be open to everybody who is curious.",
    "During {season} the path to the {thing} is muddy, and the committee lays new gravel on it.",
    "A careful count is kept of every hour, so that the {people} know what a repair really costs.",
    "The first thing a learner does with {material} is to feel it between finger and thumb.",
    "The second is to ask why the {tool} is made the way it is and not in some easier fashion.",
    "Nobody at {place} would sell the {thing}, although an offer was made after the last {season}.",
    "When there is {trouble}, the neighbours come with lanterns and stay until the work is finished.",
    "The accounts show that {material} was bought from the same family for thirty years.",
    "Some of the {people} write letters to others who look after a {thing} in distant places.",
    "They compare notes about {trouble}, and they send each other drawings of the {tool}.",
    "A small grant paid for the roof, and the rest of the money was raised by a supper in {season}.",
    "You can hear the {thing} before you see it, especially when the wind comes from the north.",
    "The sound has become a part of {place}, and people miss it on the days when it is silent.",
    "For those who want to learn, the {people} offer a course of four evenings with tea.",
    "On the last evening everybody makes something from {material} and takes it home.",
    "The guide book gives the {thing} only two lines, which the {people} consider to be enough.",
    "It is said that {trouble} once closed the {thing} for a whole {season}, but the records differ.",
    "A photograph by the door shows the {tool} in the hands of somebody whose name is lost.",
    "There is a plan to measure the {thing} properly and to publish the figures for others to use.",
    "Until that is done, the best description remains the one that the {people} give by heart.",
    "Repairs are done with {material} wherever that is possible, and with honesty where it is not.",
    "The {people} mark every new part with the year, so that nobody is misled about its age.",
    "If you go to {place}, wear strong shoes and allow more time than you think you will need.",
    "Much of what is known about {trouble} in this valley was first written down at the {thing}.",
    "The winter log is the longest, since there is little else to do when the {tool} is put away.",
    "Everyone who has held the {tool} for an hour understands why the {people} rest at noon.",
]

OPENINGS = [
    "This is an account of the {thing} at {place} and of the people who look after it.",
    "Few things have shaped {place} as quietly as its {thing}.",
    "A {thing} needs attention every day, and the one at {place} is no exception.",
    "We spent a week in {season} with the {people} of {place} to learn about their {thing}.",
]

ZH_TOPICS = [
    ("灯塔", "守塔人", "玻璃棱镜", "油壶", "北岬", "海雾", "冬天"),
    ("茶园", "采茶人", "竹篮", "铁锅", "云岭村", "春寒", "清明前后"),
    ("石桥", "石匠", "青石", "墨线", "柳河镇", "洪水", "秋天"),
    ("面馆", "师傅", "高筋面粉", "擀面杖", "南门街", "潮气", "初夏"),
    ("书店", "店员", "旧书", "书目卡片", "梧桐路", "蛀虫", "雨季"),
    ("气象站", "观测员", "百叶箱", "雨量计", "黄牛岭", "雷电", "夏天"),
    ("造纸坊", "匠人", "构树皮", "竹帘", "水口村", "铁锈", "深秋"),
    ("渔港", "船工", "麻绳", "铁锚", "白沙湾", "台风", "八月"),
    ("果园", "果农", "枝条", "剪刀", "西山坡", "虫害", "春天"),
    ("钟表铺", "修表人", "发条", "放大镜", "十字街", "灰尘", "冬季"),
    ("陶窑", "陶工", "陶土", "转轮", "老窑村", "裂纹", "秋末"),
    ("图书馆", "管理员", "线装书", "目录柜", "城东", "霉斑", "梅雨季节"),
    ("小火车", "司机", "煤块", "信号灯", "松林站", "落叶", "十月"),
    ("养蜂场", "蜂农", "蜂蜡", "喷烟壶", "槐花沟", "螨虫", "五月"),
    ("盐田", "盐工", "海水", "木耙", "东滩", "阵雨", "盛夏"),
    ("棋社", "棋友", "棋谱", "棋钟", "文庙旁", "争执", "周末"),
    ("染坊", "染布人", "蓝草", "木缸", "河埠头", "褪色", "立秋以后"),
    ("戏台", "票友", "木雕", "锣鼓", "祠堂前", "漏雨", "正月"),
]  # fmt: skip

ZH_SENTENCES = [
    "{place}的{thing}已经用了很多年，村里的老人也说不清它是什么时候建起来的。",
    "来这里的客人总是先打听{thing}在哪里，然后才会问别的事情。",
    "到了{season}，{people}天不亮就开始干活，一直忙到太阳落山。",
    "{tool}平时收在干燥的柜子里，因为一天的疏忽就可能毁掉一年的心血。",
    "好的{material}并不便宜，所以{people}从来舍不得浪费。",
    "他们最担心的是{trouble}，它来得很慢，等发现的时候往往已经晚了。",
    "柜子里有一本旧笔记，上面写着前两代人是怎样对付{trouble}的。",
    "笔记里说，做这一行靠的是耐心，而不是力气，这句话到今天仍然有道理。",
    "附近学校的孩子们可以来学用{tool}，条件是先把它的道理讲清楚。",
    "关于怎样存放{material}，每个{people}都有自己的看法，谁也说服不了谁。",
    "不过大家都同意，{thing}应该向所有好奇的人开放。",
    "{season}的时候路上泥泞难走，大家就一起动手铺上新的碎石。",
    "每一次修理都记在账上，这样才知道维护{thing}究竟要花多少钱。",
    "新来的学徒要做的第一件事，是用手去摸一摸{material}，记住它的感觉。",
    "第二件事是弄明白{tool}为什么要做成这个样子，而不是更省事的样子。",
    "去年有人出高价想把{thing}买走，大家商量了一个晚上，最后还是没有答应。",
    "遇到{trouble}的时候，邻居们会提着灯赶来，一直帮到事情做完为止。",
    "有些{people}还和外地的同行通信，互相寄去图纸和经验。",
    "风从北边吹来的日子，很远就能听见{thing}那边传来的声音。",
    "如果哪一天安静下来，{place}的人反而会觉得少了点什么。",
    "想学手艺的人可以参加四个晚上的课，课上有茶，也有点心。",
    "最后一晚，每个人都用{material}做一样东西带回家去。",
    "门口挂着一张照片，照片里的人拿着{tool}，可惜已经没有人记得他的名字。",
    "他们打算把{thing}仔细测量一遍，再把数字公布出来，让别人也能用上。",
    "凡是换过的部件都刻上年份，免得后来的人弄错它的来历。",
    "要去{place}的话，最好穿一双结实的鞋，并且多留一些时间。",
]


def article(number: int, sentences: int = 13) -> tuple[str, str]:
    """Title and text of the article about topic `number`; a later round of topics reads otherwise."""
    thing, people, material, tool, place, trouble, season = TOPICS[number % len(TOPICS)]
    draw = random.Random(f"article {number}")
    words = dict(
        thing=thing, people=people, material=material, tool=tool, place=place, trouble=trouble,
        season=season,
    )  # fmt: skip
    lines = [draw.choice(OPENINGS), *draw.sample(SENTENCES, sentences)]
    filled = [line.format(**words) for line in lines]
    third = len(filled) // 3
    parts = [filled[:third], filled[third : 2 * third], filled[2 * third :]]
    title = f"The {thing} of {place}" if number < len(TOPICS) else f"Notes on the {thing}, {number}"
    return title, "\n\n".join(" ".join(part) for part in parts)


def chapter(number: int) -> tuple[str, str]:
    """Title and text of one of three chapters; no sentence stands in two of them."""
    thing, people, material, tool, place, trouble, season = TOPICS[-1 - number]
    words = dict(
        thing=thing, people=people, material=material, tool=tool, place=place, trouble=trouble,
        season=season,
    )  # fmt: skip
    filled = [line.format(**words) for line in (OPENINGS[number], *SENTENCES[number::3])]
    return f"The {thing}", "\n\n".join(
        " ".join(filled[i : i + 5]) for i in range(0, len(filled), 5)
    )


def article_zh(number: int, sentences: int = 15) -> tuple[str, str]:
    """Title and text of the Chinese article about topic `number`."""
    thing, people, material, tool, place, trouble, season = ZH_TOPICS[number % len(ZH_TOPICS)]
    draw = random.Random(f"zh {number}")
    words = dict(
        thing=thing, people=people, material=material, tool=tool, place=place, trouble=trouble,
        season=season,
    )  # fmt: skip
    filled = [line.format(**words) for line in draw.sample(ZH_SENTENCES, sentences)]
    half = len(filled) // 2
    return f"{place}的{thing}", "\n\n".join(["".join(filled[:half]), "".join(filled[half:])])
