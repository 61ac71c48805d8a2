"""Text that would run if a page ever took it for markup: in code, file names, symbols, questions, notes, names."""

from __future__ import annotations

import json
from collections.abc import Sequence

_TAGS = (
    "<script>{js}</script>",
    "<ScRiPt>{js}</sCrIpT>",
    "<script src=//x/x.js></script>",
    "<img src=x onerror={js}>",
    "<img src='x' onerror='{js}'>",
    '<img src="x" onerror="{js}"/>',
    "<img/src/onerror={js}>",
    "<IMG SRC=javascript:{js}>",
    "<svg onload={js}>",
    "<svg/onload={js}>",
    "<svg><script>{js}</script></svg>",
    "<svg><animate onbegin={js} attributeName=x dur=1s>",
    "<svg><a xlink:href='javascript:{js}'><text x=20 y=20>x</text></a>",
    "<body onload={js}>",
    "<iframe src=javascript:{js}></iframe>",
    "<iframe srcdoc='<script>parent.{js}</script>'></iframe>",
    "<object data=javascript:{js}></object>",
    "<embed src=javascript:{js}>",
    "<details open ontoggle={js}>",
    "<video><source onerror={js}></video>",
    "<audio src=x onerror={js}>",
    "<input autofocus onfocus={js}>",
    "<select autofocus onfocus={js}>",
    "<textarea autofocus onfocus={js}>",
    "<marquee onstart={js}>",
    "<math><mtext><table><mglyph><style><img src=x onerror={js}>",
    "<form><button formaction=javascript:{js}>x</button></form>",
    "<a href=javascript:{js}>x</a>",
    "<a href='  javascript:{js}'>x</a>",
    "<base href='javascript:{js}//'>",
    "<link rel=stylesheet href=//x/x.css>",
    "<style>@import '//x/x.css'</style>",
    "<meta http-equiv=refresh content='0;url=javascript:{js}'>",
    "<template><script>{js}</script></template>",
    "<noscript><p title='</noscript><img src=x onerror={js}>'>",
    "<!--><img src=x onerror={js}>-->",
    "<![CDATA[<img src=x onerror={js}>]]>",
    "</textarea><img src=x onerror={js}>",
    "</title><script>{js}</script>",
    "</code></pre><img src=x onerror={js}>",
    "'\"><img src=x onerror={js}>",
    '" autofocus onfocus={js} x="',
    "&lt;img src=x onerror={js}&gt;",
    "&#60;script&#62;{js}&#60;/script&#62;",
    "\\u003cscript\\u003e{js}\\u003c/script\\u003e",
    "%3Cscript%3E{js}%3C/script%3E",
)
_MARKDOWN = (
    "[x](javascript:{js})",
    "[x](JaVaScRiPt:{js})",
    "[x](<javascript:{js}>)",
    "[x](data:text/html,<script>{js}</script>)",
    "[x](vbscript:{js})",
    '![x](x" onerror="{js})',
    "![x](javascript:{js})",
    "[x]: javascript:{js}\n[x]",
    "<javascript:{js}>",
    "`<img src=x onerror={js}>`",
    "```html\n<img src=x onerror={js}>\n```",
    "[1](javascript:{js})",
    "[1]: javascript:{js}\n[1]",
    "| <img src=x onerror={js}> | b |\n|---|---|\n| x | y |",
    "# <img src=x onerror={js}>",
    "> <svg onload={js}>",
    "* <img src=x onerror={js}>",
)
JS = "(window.hacked=1)"
PAYLOADS: tuple[str, ...] = tuple(text.format(js=js) for text in (*_TAGS, *_MARKDOWN) for js in (JS, "alert(1)"))

FILE = "hostile/<img src=x onerror=alert(1)>.py"
SOURCE = (
    '"""Zebra quagga payloads: what a hostile repository may hold."""\n\n'
    "ZEBRA_QUAGGA = (\n" + "".join(f"    {text!r},\n" for text in PAYLOADS) + ")\n\n\n"
    "def zebra_quagga_first():\n"
    '    """The zebra quagga <script>alert(1)</script> <img src=x onerror=alert(1)>."""\n'
    "    return ZEBRA_QUAGGA[0]\n"
)


def answered(text: str, payloads: Sequence[str]) -> str:
    """The events of an answer of ``text``, whose one source holds ``payloads`` wherever a source holds text."""
    source = {
        "chunk_id": 1, "repo": payloads[0], "path": payloads[-1], "start_line": 1, "end_line": 2, "symbol": payloads[0],
        "language": "html", "text": "\n".join(payloads), "dense_score": 0.5, "lexical_score": 0.5, "fused_score": 0.5,
        "rerank_score": None, "final_score": 0.5, "rank": 1, "first_stage_rank": 1, "matching_lines": [1], "n": 1,
        "cited": True,
    }  # fmt: skip
    sent = [
        ("sources", {"answer_id": "x", "conversation_id": None, "model_version": 0, "query": "q", "sources": [source]}),
        *(("token", {"text": piece}) for piece in text.split(" ")),
        ("citations", {"citations": [1]}),
        (
            "done",
            {
                "answer_id": "x", "conversation_id": None, "model_version": 0, "answer": text,
                "generator": payloads[0], "timings": {},
            },
        ),
    ]  # fmt: skip
    return "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in sent)
