// SPDX-License-Identifier: EUPL-1.2
// Asks the browser's authenticators on behalf of one form, puts their answer into it, and sends it. Nothing is fetched,
// nothing is kept; without this file the page says what else to do.
"use strict";

(() => {
  const form = document.querySelector("form[data-passkey]");
  if (!form || !window.PublicKeyCredential || !navigator.credentials) return;

  const FRESH = 4.5 * 60 * 1000; // the server takes a challenge for five minutes
  const shownAt = Date.now();
  const all = (selector) => [...document.querySelectorAll(selector)];
  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const ask = (options) => {
    const publicKey = { ...options, challenge: bytes(options.challenge) };
    if (form.dataset.passkey === "get")
      return navigator.credentials.get({ publicKey: { ...publicKey, allowCredentials: named(options.allowCredentials) } });
    const user = { ...options.user, id: bytes(options.user.id) };
    const excludeCredentials = named(options.excludeCredentials);
    return navigator.credentials.create({ publicKey: { ...publicKey, user, excludeCredentials } });
  };

  const told = (credential) => {
    const response = {};
    for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
      if (credential.response[part]) response[part] = text(credential.response[part]);
    return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response });
  };

  const say = (name) => {
    const notices = all("[data-passkey-said]");
    const one = notices.find((notice) => notice.dataset.passkeySaid === name) || notices[notices.length - 1];
    notices.forEach((notice) => { notice.hidden = notice !== one; });
  };

  let asking = false;
  form.addEventListener("submit", async (submit) => {
    submit.preventDefault();
    if (asking) return;
    if (Date.now() - shownAt > FRESH) {
      const to = form.elements.namedItem("to");
      location.assign(to ? `${form.action}?to=${to.value}` : form.action);
      return;
    }
    asking = true;
    try {
      const credential = await ask(JSON.parse(form.dataset.options));
      const field = form.elements.namedItem("credential");
      field.value = told(credential);
      field.disabled = false;
      form.submit();
    } catch (error) {
      asking = false;
      say(error.name);
    }
  });

  all("[data-passkey-unable]").forEach((one) => { one.hidden = true; });
  all("[data-passkey-button]").forEach((one) => { one.hidden = false; });
  document.querySelector("[data-passkey-first]")?.focus();
})();
