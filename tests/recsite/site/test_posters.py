from xml.etree import ElementTree

import pytest
from django.test import Client

from catalog.snapshot import ItemCard
from recsite.site.motifs import MOTIFS
from recsite.site.palettes import PALETTES, STYLES, Palette, style_of
from recsite.site.posters import digest, draw_backdrop, draw_poster, fit_title

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return ["".join(node.itertext()) for node in ElementTree.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 -- ours


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance of #rrggbb."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_poster_shows_title_year_and_category() -> None:
    svg = draw_poster(ItemCard(item_id="a", title="Alien", category="Horror", year=1979))
    assert texts(svg) == ["Alien", "1979 · Horror"]


@pytest.mark.parametrize(
    "title",
    ['<img src=x onerror="alert(1)">', "</text><script>alert(1)</script>", "a & b ]]> '", "\x01\x08\ufffe\udc00x", ""],
)
def test_a_poster_of_any_text_is_well_formed_and_holds_no_markup_of_it(title: str) -> None:
    for draw in (draw_poster, draw_backdrop):
        svg = draw(ItemCard(item_id=title, title=title, category=title))
        names = {node.tag.removeprefix(SVG) for node in ElementTree.fromstring(svg).iter()}  # noqa: S314 -- ours
        assert names <= {
            "svg", "title", "defs", "linearGradient", "stop", "rect", "circle", "ellipse", "polygon", "path", "g",
            "text", "tspan",
        }  # fmt: skip
        svg.encode()


def test_a_title_of_500_characters_fits_in_five_lines() -> None:
    for title in ("word " * 100, "x" * 500, "字" * 500, "😀" * 250):
        lines, size = fit_title(title)
        assert len(lines) == 5
        assert lines[-1].endswith("…")
        assert size == 30


def test_a_short_title_is_large_and_whole() -> None:
    assert fit_title("Heat") == (["Heat"], 52)
    assert " ".join(fit_title("The Lord of the Rings: The Return of the King")[0]) == (
        "The Lord of the Rings: The Return of the King"
    )


def test_arabic_is_set_from_the_right() -> None:
    assert 'direction="rtl"' in draw_poster(ItemCard(item_id="a", title="وجدة"))
    assert 'direction="rtl"' not in draw_poster(ItemCard(item_id="a", title="Wadjda"))


def test_the_same_item_is_always_drawn_alike_and_others_differ() -> None:
    a, b = ItemCard(item_id="a", title="T", category="Drama"), ItemCard(item_id="b", title="T", category="Drama")
    assert draw_poster(a) == draw_poster(a)
    assert draw_poster(a) != draw_poster(b)
    assert digest(a) != digest(b)
    assert digest(a) != digest(ItemCard(item_id="a", title="T", category="Drama", year=2000))


def test_every_style_names_motifs_that_exist() -> None:
    for style in [*STYLES.values(), style_of("Cooking"), style_of("")]:
        assert style.palettes
        assert set(style.motifs) <= set(MOTIFS)
    assert style_of(" science fiction ") == STYLES["science fiction"]
    assert style_of("Cooking") == style_of("Cooking")


@pytest.mark.parametrize("palette", PALETTES)
def test_titles_are_readable(palette: Palette) -> None:
    assert (luminance(palette.ink) + 0.05) / (luminance(palette.deep) + 0.05) >= 7


@pytest.mark.usefixtures("films")
def test_a_poster_is_cached_for_a_year_under_its_version(client: Client) -> None:
    plain = client.get("/posters/alien.svg")
    assert plain.headers["Content-Type"] == "image/svg+xml; charset=utf-8"
    assert plain.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert plain.headers["Cache-Control"] == "public, max-age=300"
    etag = plain.headers["ETag"]
    versioned = client.get("/posters/alien.svg", {"v": etag.strip('"')})
    assert versioned.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    unchanged = client.get("/posters/alien.svg", headers={"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert client.get("/posters/alien.svg", headers={"If-None-Match": '"old"'}).status_code == 200
    assert "sessionid" not in plain.cookies


@pytest.mark.usefixtures("films")
@pytest.mark.parametrize("address", ["/posters/unknown.svg", "/backdrops/unknown.svg", "/posters/%00.svg"])
def test_there_is_no_poster_of_nothing(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404
