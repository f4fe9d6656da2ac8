// SPDX-License-Identifier: EUPL-1.2
// What every page owes to everybody, asked of the page itself: structure, names, contrast (WCAG 2.2 AA), width.
// Gives a list of faults in words; an empty list is good. Runs in Chromium, on the page as it is shown.
() => {
  const faults = [];
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const words = (element) => (element.getAttribute("aria-label") || element.textContent || "").trim();
  const called = (element) => `<${element.tagName.toLowerCase()}> ${words(element).slice(0, 40)}`;
  const shown = (element) => element.checkVisibility() && element.getClientRects().length > 0;
  const owe = (holds, what) => { if (!holds) faults.push(what); };

  owe(["fr", "en"].includes(document.documentElement.lang), "html lang is fr or en");
  owe(document.title.trim().length > 3, "a title");
  owe(all("h1").length === 1 && words(all("h1")[0]).length > 2, "exactly one h1");
  const levels = all("h1, h2, h3, h4").filter((one) => !one.closest("[role=alert]")).map((one) => Number(one.tagName[1]));
  levels.forEach((level, place) => owe(place === 0 || level <= levels[place - 1] + 1, `heading level jumps to ${level}`));
  for (const landmark of ["main", "body > header", "body > footer"]) owe(all(landmark).length === 1, `one ${landmark}`);
  all("nav").forEach((nav) => owe(nav.hasAttribute("aria-label"), "each nav has a name"));

  const identifiers = all("[id]").map((one) => one.id);
  owe(new Set(identifiers).size === identifiers.length, "no id twice");
  for (const name of ["for", "aria-describedby", "aria-labelledby"])
    all(`[${name}]`).forEach((one) => owe(identifiers.includes(one.getAttribute(name)), `${name} leads nowhere: ${called(one)}`));
  all("input:not([type=hidden]), select, textarea").forEach((one) =>
    owe(one.labels.length > 0 && words(one.labels[0]), `no label: ${one.name}`));
  all("a[href], button, summary").forEach((one) => owe(words(one), "a link or button without words"));
  all("img").forEach((one) => {
    owe(one.hasAttribute("alt"), "an image without alt");
    owe(one.complete && one.naturalWidth > 0, `an image that did not load: ${one.src}`);
  });
  all("table").forEach((one) => {
    owe(one.caption, "a table without caption");
    owe(all("th", one).every((cell) => cell.scope), "a table head without scope");
  });
  owe(all("script:not([src^='/.herse/static/']), style, [style], [onclick], [onload]").length === 0, "nothing inline");
  owe(all("[tabindex]").every((one) => one.tabIndex <= 0), "no positive tabindex");
  owe(document.styleSheets.length === 1 && document.styleSheets[0].cssRules.length > 20, "the style sheet is there");

  const root = document.documentElement;
  owe(root.scrollWidth <= root.clientWidth, `scrolls sideways: ${root.scrollWidth} > ${root.clientWidth}`);
  all("a[href], button, input:not([type=hidden]), select, summary").filter(shown).forEach((one) => {
    const box = one.getBoundingClientRect();
    const inText = getComputedStyle(one).display === "inline" && one.closest("p, li, dd");
    owe(inText || box.height >= 24 || box.bottom <= 0, `smaller than 24 px: ${called(one)}`);
  });

  const numbers = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  const light = ([red, green, blue]) => {
    const linear = [red, green, blue].map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = numbers(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
      if (colour[3] > 0) faults.push(`a half transparent ground: ${called(one)}`);
    }
    return [255, 255, 255];
  };
  const contrast = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !shown(element)) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    owe(size >= 12, `smaller than 12 px: ${called(element)}`);
    const ratio = contrast(numbers(style.color), behind(element));
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    owe(ratio >= (large ? 3 : 4.5), `contrast ${ratio.toFixed(1)}: ${called(element)}`);
  }
  all("input:not([type=hidden]), select").filter(shown).forEach((one) => {
    const ratio = contrast(numbers(getComputedStyle(one).borderTopColor), behind(one.parentElement));
    owe(ratio >= 3, `the edge of a field has contrast ${ratio.toFixed(1)}: ${one.name}`);
  });
  return [...new Set(faults)];
}
