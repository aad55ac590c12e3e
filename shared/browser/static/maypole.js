// Progressive enhancement only: every page works without this file.
"use strict";

(() => {
  const isTyped = (control) => control.id && control.value !== control.defaultValue;

  // Nobody checks out beside a number that they have just changed, or that was refused: it is sent first, and the new
  // total shown, or again what is wrong with it.
  let isHeldBack = false;
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-checkout]")) return;
    const numbers = [...document.querySelectorAll("#cart-panel .qty")];
    const changed = numbers.find((number) => isTyped(number) || number.matches("[aria-invalid]"));
    if (!changed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!changed.form.reportValidity()) return;
    isHeldBack = true;
    changed.form.requestSubmit();
  }, true);

  // A form with data-once is sent once: a second press while the first is on its way does nothing.
  // The submitter is not disabled (a disabled button would drop its own name and value from the form).
  const release = (form) => {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-once]")) return;
    if (form.dataset.sent) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    form.dataset.sent = "yes";
    if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
  }, true);
  // The browser's back button may show the page as it was left: let its forms be sent again.
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-once]").forEach(release));
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target.closest ? event.target.closest("form[data-once]") : null;
    if (form) release(form);
  });

  // <time data-countdown datetime="…"> counts down; without this it shows the time as the server wrote it.
  // A page with data-countdown="reload" asks the server what became of it, once the time has run out before its eyes.
  const tick = () => document.querySelectorAll("time[data-countdown]").forEach((element) => {
    const left = Math.floor((Date.parse(element.dateTime) - Date.now()) / 1000);
    if (Number.isNaN(left)) return;
    if (left > 0) {
      element.dataset.running = "yes";
      element.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} left`;
      return;
    }
    element.textContent = "time is up";
    if (element.dataset.running && element.dataset.countdown === "reload") {
      delete element.dataset.running;
      window.location.reload();
    }
  });
  tick();
  setInterval(tick, 1000);

  // A list of errors takes the focus, so that a screen reader starts there.
  const focusErrors = (root) => {
    const summary = root.querySelector ? root.querySelector(".error-summary") : null;
    if (summary) summary.focus();
    return Boolean(summary);
  };
  focusErrors(document);

  // What was typed into a part that is replaced, and not sent, stays typed: a guest's address, another line's number.
  const TYPED = "input:not([type=hidden], [type=checkbox], [type=radio]), textarea";
  let typed = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, requestConfig } = event.detail;
    const form = requestConfig.elt.closest("form");
    const isSent = (control) => control.form === form && control.value === requestConfig.formData.get(control.name);
    typed = [...target.querySelectorAll(TYPED)].filter((control) => isTyped(control) && !isSent(control));
  });
  document.addEventListener("htmx:afterSwap", () => {
    typed.forEach(({ id, value }) => {
      const control = document.getElementById(id);
      if (control && "value" in control) control.value = value;
    });
    typed = [];
  });

  // After a part of the page was replaced the focus stays where the reader was: htmx keeps it on what has the same id;
  // where that has gone (a line was taken out, a notice came instead), it goes to what came. Polls move nothing.
  const focusOn = (element) => {
    if (!element.matches("a[href], button, input, select, textarea, [tabindex]")) element.tabIndex = -1;
    element.focus();
  };
  document.addEventListener("htmx:afterSettle", (event) => {
    if (focusErrors(event.target)) return;
    const notice = event.target.closest("#page-notice") ? document.querySelector("#page-notice .notice")
      : event.target.querySelector(".notice--bad");
    if (isHeldBack && event.target.id === "cart-panel") {
      isHeldBack = false;
      const refused = event.target.querySelector(".qty[aria-invalid]");
      if (notice || refused) focusOn(notice || refused);
      else tell("You had changed a number, so your cart was updated first. Please look at the new total, then check out.", "info");
      return;
    }
    const lost = document.activeElement === document.body || document.activeElement === null;
    const asked = event.detail.requestConfig && event.detail.requestConfig.triggeringEvent;
    if (notice) focusOn(notice);
    else if (lost && asked && event.target.id !== "cart-mini" && event.target.id !== "page-notice") {
      const whole = event.target.matches("[data-focus]");
      focusOn((!whole && event.target.querySelector("a[href], button")) || event.target);
    }
  });

  // What a redirect had to say is said once: a bookmark or a reload of the address does not say it again.
  const address = new URL(window.location.href);
  if (["notice", "result"].some((name) => address.searchParams.has(name))) {
    ["notice", "result"].forEach((name) => address.searchParams.delete(name));
    window.history.replaceState(window.history.state, "", address);
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });
  document.querySelectorAll("[data-print]").forEach((button) => { button.hidden = false; });

  // A request that failed at the server or on its way is told in words; what was typed stays on the page.
  const tell = (text, kind = "bad") => {
    if (kind === "bad") isHeldBack = false;
    const box = document.getElementById("page-notice");
    if (!box) return;
    const notice = document.createElement("div");
    notice.className = `notice notice--${kind}`;
    notice.setAttribute("role", kind === "bad" ? "alert" : "status");
    const body = document.createElement("p");
    body.className = "notice__body";
    body.textContent = text;
    notice.append(document.createElement("span"), body);
    box.replaceChildren(notice);
    focusOn(notice);
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    if (xhr.status < 500) return;
    if (xhr.getResponseHeader("HX-Retarget")) {
      event.detail.shouldSwap = true;
      return;
    }
    const id = xhr.getResponseHeader("X-Request-ID");
    tell(`Something went wrong on our side. Please try again in a moment.${id ? ` (Reference: ${id})` : ""}`);
  });
  document.addEventListener("htmx:sendError", () => tell("We could not reach the server. Please check your connection and try again."));
  document.addEventListener("htmx:timeout", () => tell("The server took too long to answer. Please try again."));
})();
