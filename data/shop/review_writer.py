"""The grammar of the shop's reviews: from a rating and its reasons to one to three sentences."""

from collections import Counter

import numpy as np

TIMES = ("a week", "ten days", "two weeks", "three weeks", "a month", "six weeks")


def below(rng, n):
    """Draw an integer from 0 to n - 1; rng.randint's width depends on the platform."""
    return int(rng.random_sample() * n)


class Writer:
    """Writes review texts; among the phrases that fit, it takes one that was used least so far."""

    def __init__(self, rng, words, phrases):
        self.rng, self.words, self.phrases = rng, words, phrases
        self.used, self.written = Counter(), set()

    def pick(self, options):
        fewest = min(self.used[option] for option in options)
        options = [option for option in options if self.used[option] == fewest]
        choice = options[below(self.rng, len(options))]
        self.used[choice] += 1
        return choice

    def clauses(self, product, reason, tone):
        """Return what can be said in this tone, "praise" or "gripe", for this reason."""
        if reason == "category":
            kinds = product["genres"][1::2]
            return [c for kind in kinds for c in self.words["categories"][kind][tone]]
        if reason in ("material", "brand"):
            return self.words[reason + "s"][product[reason]][tone]
        return self.phrases[product["season"] if reason == "season" else reason][tone]

    def write(self, *review):
        """Return one review's text, unlike every earlier one; arguments as for `draft`."""
        while (text := self.draft(*review)) in self.written:
            pass
        self.written.add(text)
        return text

    def draft(self, user, product, stars, reasons, voice):
        """Draw one review's text; `reasons` says how many stars each reason added."""
        # Praise and gripe at the same place in a product's lists exclude each other.
        order = np.argsort(self.rng.random_sample(len(product["praise"])))
        own = {
            "praise": [product["praise"][k] for k in order[0::2]],
            "gripe": [product["gripe"][k] for k in order[1::2]],
        }
        best, worst = max(reasons, key=reasons.get), min(reasons, key=reasons.get)
        link = next((link for link in ("elder", "partner") if product[link]), None)
        if link and self.rng.random_sample() < 0.15:  # now and then compare with a related product
            reasons = reasons | {link: 1.0 if stars >= 3 else -1.0}
            best, worst = (link, worst) if stars >= 3 else (best, link)
        said = []
        for tone, reason, holds in (
            ("praise", best, reasons[best] > 0.2),
            ("gripe", worst, reasons[worst] < -0.2),
        ):
            first = self.pick(own[tone])
            rest = [clause for clause in own[tone] if clause != first]
            second = self.pick(self.clauses(product, reason, tone) if holds else rest)
            said += [first, second] if self.rng.random_sample() < 0.5 else [second, first]

        work = self.words["occupations"][user["occupation"]]
        facts = user | product | work | {"time": self.pick(TIMES)}
        slots = dict(zip(("p", "p2", "g", "g2"), said, strict=True))
        slots = {slot: clause.format(**facts) for slot, clause in slots.items()}
        slots |= {"P": capital(slots["p"]), "G": capital(slots["g"])} | facts

        parts = (self.phrases[part][str(stars)] for part in ("openings", "middles", "endings"))
        openings, middles, endings = parts
        sentences = [openings[voice], middles]
        if self.rng.random_sample() < 0.5:  # the brief leave a part out, the others add one
            sentences = sentences[1:] if voice == "brief" else [*sentences, endings]
        return " ".join(capital(self.pick(s).format(**slots)) + "." for s in sentences)


def capital(text):
    return text[0].upper() + text[1:]
