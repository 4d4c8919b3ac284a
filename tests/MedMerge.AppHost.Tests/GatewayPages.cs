using Microsoft.Playwright;

namespace MedMerge.AppHost.Tests;

/// <summary>The gateway's pages in a real browser, at one size and in one scheme of colours.</summary>
internal sealed class GatewayPages : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);
    private readonly Uri _gateway;
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly List<string> _problems = [];

    private GatewayPages(Uri gateway, IPlaywright playwright, IBrowser browser, IPage page)
    {
        (_gateway, _playwright, _browser, Page) = (gateway, playwright, browser, page);
        page.Console += (_, message) =>
        {
            if (message.Type == "error") _problems.Add($"{page.Url}: {message.Text}");
        };
        page.PageError += (_, error) => _problems.Add($"{page.Url}: {error}");
        page.Request += (_, request) =>
        {
            var address = new Uri(request.Url);
            var isForeign = address.Scheme != "data" && address.Authority != gateway.Authority;
            if (isForeign) _problems.Add($"{page.Url} asks another host: {request.Url}");
        };
    }

    /// <summary>The page that is open.</summary>
    public IPage Page { get; }

    /// <summary>There should be no errors in the browser's console, and no requests to other hosts.</summary>
    public void AssertNoProblem() => Assert.True(_problems.Count == 0, string.Join('\n', _problems));

    public static async Task<GatewayPages> OpenAsync(Uri gateway, int width, int height, ColorScheme colours)
    {
        var (playwright, browser) = await Browser.LaunchAsync();
        var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = width, Height = height }, ColorScheme = colours });
        page.SetDefaultTimeout((float)Timeout.TotalMilliseconds);
        return new GatewayPages(gateway, playwright, browser, page);
    }

    /// <summary>Opens a page by its address and waits for its heading.</summary>
    public async Task GoAsync(string path, string heading)
    {
        await Page.GotoAsync(new Uri(_gateway, path).ToString());
        await SeeHeadingAsync(heading);
    }

    /// <summary>Follows a link by its name, and waits for the heading that it leads to.</summary>
    public async Task FollowAsync(string link, string heading)
    {
        await Page.GetByRole(AriaRole.Link, new() { Name = link, Exact = true }).First.ClickAsync();
        await SeeHeadingAsync(heading);
    }

    /// <summary>Waits for a heading, and for the page to be live.</summary>
    public async Task SeeHeadingAsync(string heading)
    {
        await Browser.SeeAsync(Page.GetByRole(AriaRole.Heading, new() { Name = heading, Level = 1 }).First);
        await Browser.SeeAsync(Page.Locator("main[data-live]"));
    }

    /// <summary>Fills a field in by its label.</summary>
    public Task FillAsync(string label, string text) => Page.GetByLabel(label).First.FillAsync(text);

    /// <summary>Presses the first button of a name.</summary>
    public async Task PressAsync(string button)
    {
        var found = Page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).First;
        await Browser.SeeAsync(found);
        await found.ClickAsync();
    }

    /// <summary>Waits for a state that the page announces.</summary>
    public Task SeeStatusAsync(string state) => Browser.SeeAsync(Page.GetByRole(AriaRole.Status).GetByText(state).First);

    public Task SeeAsync(string text) => Browser.SeeAsync(Page.GetByText(text).First);

    /// <summary>Checks that the page keeps nobody out and is no wider than the window, and takes its picture.</summary>
    public async Task CheckAsync(string picture)
    {
        await Browser.CheckAsync(Page);
        await Browser.SaveAsync(picture, await Page.ScreenshotAsync(new() { FullPage = true }));
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
