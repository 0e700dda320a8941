// Shows what the pointer is on in the line below the picture: quicker than the browser's own tooltip, and on touch too.
for (const figure of document.querySelectorAll("figure")) {
  const line = figure.querySelector("output");
  const rest = line.textContent;
  figure.addEventListener("pointerover", (event) => {
    const buffer = event.target.closest(".buffer");
    line.textContent = buffer ? buffer.querySelector("title").textContent : rest;
  });
  figure.addEventListener("pointerleave", () => { line.textContent = rest; });
}
