using MedMerge.Testing;
using Microsoft.Playwright;

namespace MedMerge.AppHost.Tests;

/// <summary>The report as people open it: from a disk, without a network, on a screen, a phone and paper.</summary>
public sealed class ReportTests
{
    private const int MaxBytes = 1 << 20;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public Task That_of_one_scenario_is_read_from_a_disk_without_a_network_in_light_dark_and_print() =>
        RunAsync("one", (Specifications.Tiny with { Methods = "[medmerge, fine-tune, lp-ft]", Seeds = 2 }).Yaml);

    /// <summary>A sweep of two scenarios; one seed is enough to see all of it.</summary>
    [Fact]
    public Task So_is_the_quickstarts() => RunAsync("quickstart", Specifications.ReadQuickstart(seeds: 1));

    private static async Task RunAsync(string name, string yaml)
    {
        Browser.Need();
        var folder = Directory.CreateTempSubdirectory("medmerge-report-");
        try
        {
            var specification = Path.Combine(folder.FullName, "spec.yaml");
            await File.WriteAllTextAsync(specification, yaml, Cancellation);
            var output = Path.Combine(folder.FullName, "out");
            await CommandProcess.RunAsync("run", specification, "--store", Path.Combine(folder.FullName, "store"), "--output", output);
            await ReadAsync(Path.Combine(output, "report.html"), name);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task ReadAsync(string file, string name)
    {
        Assert.InRange(new FileInfo(file).Length, 1, MaxBytes);
        var (playwright, browser) = await Browser.LaunchAsync();
        using var _ = playwright;
        await using var __ = browser;
        foreach (var (width, colours) in new[] { (1280, ColorScheme.Light), (1280, ColorScheme.Dark), (390, ColorScheme.Light) })
        {
            var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = width, Height = 900 }, ColorScheme = colours });
            var problems = new List<string>();
            page.Console += (_, message) => problems.Add(message.Text);
            page.PageError += (_, error) => problems.Add(error);
            page.Request += (_, request) =>
            {
                if (new Uri(request.Url).Scheme is not ("file" or "data")) problems.Add(request.Url);
            };
            await page.Context.SetOfflineAsync(offline: true);
            await page.GotoAsync(new Uri(file).ToString());
            await Browser.SeeAsync(page.GetByRole(AriaRole.Heading, new() { Level = 1 }));
            await Browser.SeeAsync(page.GetByRole(AriaRole.Img).First);
            await Browser.CheckAsync(page);
            Assert.True(problems.Count == 0, string.Join('\n', problems));
            await Browser.SaveAsync($"report-{name}-{width}-{colours}", await page.ScreenshotAsync(new() { FullPage = true }));
            await PrintAsync(page, name);
            await page.CloseAsync();
        }
    }

    /// <summary>On A4 it has the same verdict, and nothing is wider than the paper, which browsers would shrink.</summary>
    private static async Task PrintAsync(IPage page, string name)
    {
        const int paper = 718; // of A4 in CSS pixels, less 1 cm at each side
        await page.EmulateMediaAsync(new() { Media = Media.Print });
        await page.SetViewportSizeAsync(paper, 900);
        await Browser.CheckAsync(page);
        var pdf = await page.PdfAsync(new() { Format = "A4" });
        Assert.True(pdf.AsSpan().StartsWith("%PDF"u8));
        await Browser.SaveAsync($"report-{name}-print", await page.ScreenshotAsync(new() { FullPage = true }));
    }
}
