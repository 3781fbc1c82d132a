#!/usr/bin/python3
"""A developer's tool: photographs the HTML of mails with Debian's chromium, headless.

Usage: TOCSIN_MAILS=FOLDER build/flow_mails_test; contrib/mail-shots.py FOLDER NAME... [--to FOLDER]
Of each NAME.eml it makes NAME-light-375.png, -dark-375, -light-700 and -dark-700.
"""
import argparse
import email.policy
import os
import subprocess
import tempfile

THEMES = {"light": 1, "dark": 0}
HEIGHT = 2200


def page_of(path):
    with open(path, "rb") as file:
        mail = email.message_from_binary_file(file, policy=email.policy.default)
    return mail.get_body(("html",)).get_content()


def shoot(page, theme, width, to):
    # A window of chromium's is never narrower than 500 px, so a frame is the narrow client.
    with tempfile.TemporaryDirectory() as folder:
        inner, outer = os.path.join(folder, "mail.html"), os.path.join(folder, "client.html")
        with open(inner, "w", encoding="utf-8") as out:
            out.write(page)
        with open(outer, "w", encoding="utf-8") as out:
            out.write(f'<meta name="color-scheme" content="light dark"><body style="margin:0">'
                      f'<iframe src="mail.html" style="border:0;width:{width}px;height:{HEIGHT}px">')
        subprocess.run(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--user-data-dir={folder}/profile", f"--window-size={max(width, 500)},{HEIGHT}",
             f"--blink-settings=preferredColorScheme={THEMES[theme]}", f"--screenshot={to}",
             "--allow-file-access-from-files", "file://" + outer],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder")
    arguments.add_argument("names", nargs="+")
    arguments.add_argument("--to", default=".")
    wish = arguments.parse_args()
    for name in wish.names:
        page = page_of(os.path.join(wish.folder, name + ".eml"))
        for theme in THEMES:
            for width in (375, 700):
                shoot(page, theme, width, os.path.join(wish.to, f"{name}-{theme}-{width}.png"))


main()
