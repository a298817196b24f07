from __future__ import annotations

import pytest

from experiments.bots import is_bot


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 (compatible; YandexBot/3.0)",
        "Mozilla/5.0 (compatible; Baiduspider/2.0)",
        "facebookexternalhit/1.1",
        "Mozilla/5.0 (compatible; AhrefsBot/7.0)",
        "Slackbot-LinkExpanding 1.0",
        "Mozilla/5.0 Chrome-Lighthouse",
        "Scrapy/2.11 (+https://scrapy.org)",
        "Mozilla/5.0 (compatible; Yahoo! Slurp)",
    ],
)
def test_crawlers_say_what_they_are(user_agent: str) -> None:
    assert is_bot(user_agent)


@pytest.mark.parametrize(
    "user_agent",
    [
        "",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Linux; Android 14; CUBOT X50) AppleWebKit/537.36",
        "python-requests/2.32.3",
        "okhttp/4.12.0",
    ],
)
def test_people_and_a_site_s_own_server_do_not(user_agent: str) -> None:
    assert not is_bot(user_agent)
