// Small helps on the pages of staff and of pairing. Each page also works without them.
"use strict";

// A pairing link carries its code behind the #, where no server and no log sees it.
const code = document.getElementById("code");
const fromLink = decodeURIComponent(location.hash.slice(1));
if (code && /^[0-9A-Za-z-]{9,11}$/.test(fromLink)) {
  code.value = fromLink;
  history.replaceState(null, "", location.pathname);
  document.getElementById("pair").focus();
}
