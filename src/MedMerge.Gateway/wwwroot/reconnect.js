// A gateway that was started again knows no open page: Blazor leaves it to a dialog of the page's own to load it again.
const dialog = document.getElementById("components-reconnect-modal");
dialog.addEventListener("components-reconnect-state-changed", change => {
    if (change.detail.state === "rejected") location.reload();
});
dialog.querySelector("button").addEventListener("click", () => location.reload());
