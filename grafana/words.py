"""The translation table: a key, then the Vietnamese and the English text."""

import re
import tomllib

LANGUAGES = ("vi", "en")

# Letters that English has not: what must not be left in the English twin.
VIETNAMESE = re.compile("[àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ]", re.I)


class Table:
    def __init__(self, entries):
        self.entries, self.used = entries, set()

    @classmethod
    def load(cls, path):
        entries = {}
        for section, texts in tomllib.loads(path.read_text("utf-8")).items():
            for key, pair in texts.items():
                name = f"{section}.{key}"
                if not (isinstance(pair, list) and len(pair) == len(LANGUAGES) and all(pair)):
                    raise SystemExit(f"words.toml: {name} needs a text in each of {LANGUAGES}")
                if VIETNAMESE.search(pair[1]):
                    raise SystemExit(f"words.toml: {name} is Vietnamese in the English column")
                entries[name] = pair
        return cls(entries)

    def speak(self, language):
        """A function that gives the text of a key in `language`."""
        at = LANGUAGES.index(language)

        def say(key):
            if key not in self.entries:
                raise SystemExit(f"words.toml: no text for {key}")
            self.used.add(key)
            return self.entries[key][at]

        say.language = language
        return say

    def finish(self):
        unused = sorted(self.entries.keys() - self.used)
        if unused:
            raise SystemExit(f"words.toml: unused: {', '.join(unused)}")
