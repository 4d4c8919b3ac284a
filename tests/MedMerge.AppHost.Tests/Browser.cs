using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace MedMerge.AppHost.Tests;

/// <summary>
/// A real browser, Debian's Chromium. Screenshots go to the folder that MEDMERGE_PICTURES names, or to <c>pictures</c> beside the test's
/// program.
/// </summary>
internal static class Browser
{
    private const string Chromium = "/usr/bin/chromium";

    /// <summary>Elements and texts that reach beyond the window and are in nothing that scrolls.</summary>
    private const string Widest = """
        (() => {
            const scrolls = element => element && (getComputedStyle(element).overflowX !== "visible" || scrolls(element.parentElement));
            const right = node => {
                const range = document.createRange();
                range.selectNode(node);
                return range.getBoundingClientRect().right;
            };
            const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
            const wide = [];
            while (nodes.nextNode()) {
                const node = nodes.currentNode;
                const isWide = right(node) > window.innerWidth + 1 && !scrolls(node.parentElement);
                if (isWide) wide.push((node.outerHTML ?? node.data).slice(0, 200));
            }
            return wide.slice(-5).join("\n");
        })()
        """;

    private static string PictureFolder => Environment.GetEnvironmentVariable("MEDMERGE_PICTURES") is { Length: > 0 } folder
        ? folder
        : Path.Combine(AppContext.BaseDirectory, "pictures");

    /// <summary>Skips the test where there is no browser.</summary>
    public static void Need()
    {
        if (!File.Exists(Chromium)) Assert.Skip("Chromium is not installed (Debian: apt-get install chromium).");
    }

    public static async Task<(IPlaywright Playwright, IBrowser Browser)> LaunchAsync()
    {
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Chromium,
            Args =
            [
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        });
        return (playwright, browser);
    }

    /// <summary>Waits until something is seen. Where it never is, the error says what the page shows instead.</summary>
    public static async Task SeeAsync(ILocator what)
    {
        try
        {
            await what.WaitForAsync();
        }
        catch (TimeoutException error)
        {
            var page = what.Page;
            throw new TimeoutException($"{error.Message}\n{page.Url} shows:\n{await page.Locator("body").InnerTextAsync()}", error);
        }
    }

    /// <summary>Checks that a page keeps nobody out and is no wider than the window.</summary>
    public static async Task CheckAsync(IPage page)
    {
        var found = await page.RunAxe();
        var serious = found.Violations
            .Where(violation => violation.Impact is "serious" or "critical")
            .Select(violation => $"{violation.Help}: {string.Join(", ", violation.Nodes.Select(node => node.Html))}")
            .ToList();
        Assert.True(serious.Count == 0, $"{page.Url}:\n{string.Join('\n', serious)}");
        var excess = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - window.innerWidth");
        Assert.True(excess <= 0, $"{page.Url} is {excess} pixels wider than the window:\n{await page.EvaluateAsync<string>(Widest)}");
    }

    public static async Task SaveAsync(string name, byte[] picture)
    {
        Directory.CreateDirectory(PictureFolder);
        await File.WriteAllBytesAsync(Path.Combine(PictureFolder, $"{name}.png"), picture);
    }
}
