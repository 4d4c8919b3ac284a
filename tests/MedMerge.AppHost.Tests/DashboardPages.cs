using Microsoft.Playwright;

namespace MedMerge.AppHost.Tests;

/// <summary>The pages of Aspire's and Orleans' dashboards in a real browser.</summary>
internal sealed class DashboardPages : IAsyncDisposable
{
    private const string StepDuration = "medmerge.step.duration";
    private const int Width = 1500;
    private const int Height = 900;
    private const int TraceHeight = 1500;
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);
    private readonly Uri _dashboard;
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly IPage _page;

    private DashboardPages(Uri dashboard, IPlaywright playwright, IBrowser browser, IPage page)
    {
        _dashboard = dashboard;
        _playwright = playwright;
        _browser = browser;
        _page = page;
    }

    public static async Task<DashboardPages> OpenAsync(Uri dashboard)
    {
        var (playwright, browser) = await Browser.LaunchAsync();
        var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = Width, Height = Height } });
        page.SetDefaultTimeout((float)Timeout.TotalMilliseconds);
        return new DashboardPages(dashboard, playwright, browser, page);
    }

    /// <summary>The list of resources must show these texts.</summary>
    public async Task ShowResourcesAsync(IEnumerable<string> texts, string picture)
    {
        await GoAsync("", texts);
        await SaveAsync(picture);
    }

    /// <summary>The list of traces, and the page of one: the trial, its processes and its spans must be on them.</summary>
    public async Task ShowTraceAsync(string trace, IEnumerable<string> processes, string picture)
    {
        await GoAsync("/traces", ["trial 1: medmerge, seed 0", .. processes.Select(process => $"{process} (")]); // with its number of spans
        await SaveAsync(picture);
        await _page.SetViewportSizeAsync(Width, TraceHeight);
        await GoAsync($"/traces/detail/{trace}", ["fine-tune epoch 0"]);
        await SaveAsync($"{picture}-trial");
        await _page.SetViewportSizeAsync(Width, Height);
    }

    /// <summary>The names of MedMerge's instruments that these processes have sent.</summary>
    public async Task<HashSet<string>> ShowMetricsAsync(IEnumerable<string> processes, string picture)
    {
        var names = new HashSet<string>();
        foreach (var process in processes)
        {
            var page = $"/metrics/resource/{process}?meter=MedMerge";
            await GoAsync(page, ["medmerge.device.busy"]);
            var texts = await _page.GetByText("medmerge.").AllInnerTextsAsync();
            var own = texts.Select(text => text.Trim()).ToHashSet();
            names.UnionWith(own);
            if (!own.Contains(StepDuration)) continue; // the sweep may have left a silo without steps
            await GoAsync($"{page}&instrument={StepDuration}", _page.Locator(".js-plotly-plot .main-svg"));
            await SaveAsync(picture);
        }
        return names;
    }

    /// <summary>Orleans' dashboard on the gateway must show this many silos.</summary>
    public async Task ShowOrleansAsync(Uri gateway, string picture)
    {
        await _page.GotoAsync(new Uri(gateway, "/orleans/").ToString());
        await SeeAsync("Total Activations");
        await SaveAsync(picture);
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    private Task GoAsync(string path, IEnumerable<string> texts) => GoAsync(path, [.. texts.Select(text => _page.GetByText(text))]);

    /// <summary>
    /// Opens a page of Aspire's dashboard and waits for what it must show. Now and then the dashboard ends it ("An unhandled error has
    /// occurred. Reload"; in its log an ObjectDisposedException of Blazor's Virtualize): then it is loaded again, as it says.
    /// </summary>
    private async Task GoAsync(string path, params ILocator[] shown)
    {
        const int attempts = 3;
        var failure = _page.Locator("#blazor-error-ui:visible");
        for (var attempt = 1; ; attempt++)
        {
            await _page.GotoAsync(new Uri(_dashboard, path).ToString());
            foreach (var what in shown) await Browser.SeeAsync(what.First.Or(failure).First);
            if (!await failure.IsVisibleAsync()) return;
            Assert.True(attempt < attempts, $"The dashboard fails at {path} again and again.");
        }
    }

    private Task SeeAsync(string text) => Browser.SeeAsync(_page.GetByText(text).First);

    /// <summary>
    /// Saves a screenshot once the page has stopped changing: bars and curves are drawn after the text. Live pages may
    /// never stop.
    /// </summary>
    private async Task SaveAsync(string name)
    {
        const int attempts = 10;
        var picture = await TakeAsync();
        for (var attempt = 0; attempt < attempts; attempt++)
        {
            await _page.WaitForTimeoutAsync(300);
            var next = await TakeAsync();
            var isStill = next.AsSpan().SequenceEqual(picture);
            picture = next;
            if (isStill) break;
        }
        await Browser.SaveAsync(name, picture);
    }

    /// <summary>Without the dashboard's warnings that this test needs no login and no certificate.</summary>
    private Task<byte[]> TakeAsync() => _page.ScreenshotAsync(new() { Style = ".messagebar-container { display: none !important; }" });
}
