// SPDX-License-Identifier: EUPL-1.2
// A page whose script tampers with what the authenticator said, before the form is sent. `change` names the part.
(change) => {
  const form = document.querySelector("form[data-passkey]");
  form.submit = function () {
    const told = JSON.parse(form.elements.namedItem("credential").value);
    const plain = (text) => atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    const bytes = (text) => Uint8Array.from(plain(text), (one) => one.charCodeAt(0));
    const safe = (text) => text.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
    const text = (data) => safe(btoa(String.fromCharCode(...data)));
    if (change === "origin") {
      const client = new TextDecoder().decode(bytes(told.response.clientDataJSON));
      const lie = client.replace(location.origin, "https://localhost");
      told.response.clientDataJSON = text(new TextEncoder().encode(lie));
    } else {
      const data = bytes(told.response[change]);
      data[change === "authenticatorData" ? 0 : data.length - 1] ^= 1;
      told.response[change] = text(data);
    }
    form.elements.namedItem("credential").value = JSON.stringify(told);
    HTMLFormElement.prototype.submit.call(form);
  };
}
