"""Files of people: reads them, matches them to a locale, and plans their completion."""
