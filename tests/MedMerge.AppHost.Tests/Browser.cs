using Microsoft.Playwright;

namespace MedMerge.AppHost.Tests;

/// <summary>
/// A real browser, Debian's Chromium. Screenshots go to the folder that MEDMERGE_PICTURES names, or to <c>pictures</c> beside the test's
/// program.
/// </summary>
internal static class Browser
{
    private const string Chromium = "/usr/bin/chromium";

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

    public static async Task SaveAsync(string name, byte[] picture)
    {
        Directory.CreateDirectory(PictureFolder);
        await File.WriteAllBytesAsync(Path.Combine(PictureFolder, $"{name}.png"), picture);
    }
}
