"""Spelling: restores the usual spelling of names from sources in capitals without spaces or accents.

Surnames (the Census drops apostrophes, spaces and hyphens):

- `MC` before at least three letters: McDonald. `MAC` only for the names in `MAC`: many other
  names begin with it by chance (Mack, Macias, Macedo).
- `O` before an Irish stem of `IRISH`: O'Brien. `D` before a stem of `ITALIAN`: D'Angelo.
- Spanish particles before a stem of `DE`, `DEL`, `DE_LA` …: De La Cruz, De Los Santos, Del Rio, De Leon.
- `ST` before a name of `SAINTS`: St. John. `VAN` before a stem of `DUTCH`: Van Dyke.
- `LE`, `LA`, `DU` and other prefixes stay joined, because no rule separates Lefebvre from Le Blanc.
- Everything else: first letter capital.

Given names take the first letter capital; `ACCENTS` are the Spanish given names whose orthography has an
accent. Neither American source prints one, and US birth certificates in the largest states cannot, so the
accented spelling is kept for Hispanic people born outside the 50 states, whose papers write it.
"""

from __future__ import annotations

from importlib.resources import files


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SHORTEST_MC = 5
MAC = _words(
    """MACALLISTER MACALUSO MACARTHUR MACAULAY MACBETH MACBRIDE MACCALLUM MACCORMACK MACDONALD MACDONNELL
    MACDOUGALL MACDOWELL MACFARLAND MACFARLANE MACGILLIVRAY MACGREGOR MACINNES MACINNIS MACINTOSH MACINTYRE
    MACISAAC MACIVER MACKAY MACKENZIE MACKINNON MACKINTOSH MACLACHLAN MACLAREN MACLAUGHLIN MACLEAN MACLELLAN
    MACLENNAN MACLEOD MACMAHON MACMASTER MACMILLAN MACNAMARA MACNAUGHTON MACNEIL MACNEILL MACPHAIL MACPHERSON
    MACQUARRIE MACRAE MACTAVISH MACVICAR MACWILLIAMS"""
) - {"MACALUSO", "MACKAY"}
IRISH = _words(
    """BANNON BOYLE BRIAN BRIANT BRIEN BRYAN BRYANT BYRNE CALLAGHAN CALLAHAN CONNELL CONNER CONNOR DANIEL DAY
    DEA DELL DONALD DONNELL DONOGHUE DONOHUE DONOVAN DOWD DRISCOLL DWYER FARRELL FLAHERTY FLANAGAN FLYNN GARA
    GORMAN GRADY HAGAN HALLORAN HANLON HARA HARE HEARN HERN KANE KEEFE KEEFFE KELLEY KELLY LAUGHLIN LEARY
    LOUGHLIN MALLEY MALLY MARA MEARA NEAL NEIL NEILL QUIN QUINN REAR REILLY REILY RILEY ROURKE RORKE SHAUGHNESSY
    SHEA SHIELDS SULLIVAN TOOLE"""
) - {"DELL", "DAY", "HERN", "REAR"}
ITALIAN = _words(
    """ADAMO ADDARIO ADDIO AGATA AGOSTINO ALESSANDRO ALESSIO ALOIA AMATO AMBROSIO AMBROSI AMICO ANDREA ANGELO
    ANNA ANNUNZIO ANTONI ANTONIO APICE AQUILA AQUINO ARCANGELO ARCY ARGENIO AURIA AURIZIO AVANZO AVERSA EGIDIO
    ELIA ERCOLE ERRICO ESPOSITO IPPOLITO ONOFRIO ORAZIO ORSI OTTAVIO URSO"""
) - {"ANNA"}
DE = _words("ALBA ANDA ARCO AVILA JESUS LEON LUNA ROSA SANTIAGO SOTO VERA")
DEL = _words("ANGEL BOSQUE CAMPO CASTILLO CID MORAL MONTE PINO PRADO REAL RIO ROSARIO TORO VALLE VECCHIO")
DE_LA = _words(
    """CERDA CONCEPCION CRUZ CUEVA FUENTE GARZA GUARDIA HOYA HOZ LUZ MORA O OSSA PAZ PENA RIVA ROCHA ROSA SERNA
    TORRE VEGA"""
)
DE_LOS = _words("ANGELES REYES RIOS SANTOS")
DE_LAS = _words("CASAS HERAS")
SAINTS = _words(
    """AMAND AMANT ANDRE ANGE ARNAUD AUBIN CHARLES CLAIR CLAIRE CYR DENIS DENNIS FLEUR FORT GEORGE GERMAIN
    GERMAINE HILAIRE JACQUES JAMES JEAN JOHN JULIAN JULIEN LAURENT LAWRENCE LEDGER LEGER LOUIS MARIE MARTIN MARY
    MICHEL ONGE PAUL PETER PIERRE ROMAIN ROSE SURIN THOMAS VIL VINCENT"""
)
DUTCH = _words(
    """ALLEN ALSTYNE ARSDALE ARSDALL BEEK BIBBER BLARICUM BUREN BUSKIRK CAMP CLEAVE CLEVE CUREN DAM DEUSEN DYCK
    DYKE EATON ETTEN FLEET FOSSEN GELDER GILDER GUNDY HEUSEN HOLLAND HOOK HOOSE HORN HORNE HOUTEN HOUTON KIRK LEAR
    LEER LEEUWEN LIEW METER NESS NESTE NORMAN NOSTRAND NOY OSS PATTEN PELT RIPER SANT SCHAICK SICKLE TASSEL TASSELL
    VALKENBURG VLECK VLIET VOORHIS VOORST WAGONER WERT WEY WINKLE WORMER WYK ZANDT ZANT"""
) - {"NOY", "ALLEN", "NORMAN", "EATON", "HOLLAND"}

PREFIXES = {
    "O": (IRISH, "O'"),
    "DELOS": (DE_LOS, "De Los "),
    "DELAS": (DE_LAS, "De Las "),
    "DELA": (DE_LA, "De La "),
    "DEL": (DEL, "Del "),
    "DE": (DE, "De "),
    "D": (ITALIAN, "D'"),
    "ST": (SAINTS, "St. "),
    "VAN": (DUTCH, "Van "),
}


def surname(capitals: str) -> str:
    """Return the usual spelling of a Census surname: DELACRUZ -> De La Cruz."""
    if capitals.startswith("MC") and len(capitals) >= SHORTEST_MC:
        return "Mc" + capitals[2:].capitalize()
    if capitals in MAC:
        return "Mac" + capitals[3:].capitalize()
    for prefix, (stems, spoken) in PREFIXES.items():
        stem = capitals.removeprefix(prefix)
        if stem != capitals and stem in stems:
            return spoken + stem.capitalize()
    return capitals.capitalize()


def accents() -> dict[str, str]:
    """Map given names in the sources' spelling to Spanish spelling with accents."""
    text = files(__package__).joinpath("accents.csv").read_text(encoding="utf-8")
    rows = (line.partition(",") for line in text.splitlines()[1:])
    return {plain: accented for plain, _, accented in rows}
