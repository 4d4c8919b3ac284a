using System.Net;
using Microsoft.AspNetCore.Builder;

namespace MedMerge.Gateway.Tests;

/// <summary>Signing browsers in at an identity provider.</summary>
public sealed class ProviderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-gateway-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("operator", HttpStatusCode.OK)]
    [InlineData("viewer", HttpStatusCode.Forbidden)]
    [InlineData("manager", HttpStatusCode.Forbidden)]
    public async Task A_user_of_the_provider_has_the_role_that_it_names(string role, HttpStatusCode dashboard)
    {
        await using var provider = await IdentityProvider.StartAsync();
        provider.Role = role;
        await using var app = await LaunchAsync(provider);
        using var browser = new Browser(app);

        using var callback = await browser.GetAsync(await AuthorizeAsync(browser, "/orleans/"));

        Assert.Equal("/orleans/", callback.Headers.Location!.OriginalString);
        Assert.Equal(dashboard, (await browser.GetAsync("/orleans/")).StatusCode);
    }

    [Fact]
    public async Task An_answer_that_another_browser_asked_for_signs_nobody_in()
    {
        await using var provider = await IdentityProvider.StartAsync();
        await using var app = await LaunchAsync(provider);
        using var attacker = new Browser(app);
        using var browser = new Browser(app);

        using var callback = await browser.GetAsync(await AuthorizeAsync(attacker, "/orleans/"));

        Assert.Equal("/sign-in?failed=true", callback.Headers.Location!.OriginalString);
        Assert.DoesNotContain(browser.Cookies.GetAllCookies(), cookie => cookie.Name == "medmerge");
    }

    [Fact]
    public async Task A_wrong_secret_signs_nobody_in()
    {
        await using var provider = await IdentityProvider.StartAsync();
        await using var app = await LaunchAsync(provider, "wrong");
        using var browser = new Browser(app);
        using var callback = await browser.GetAsync(await AuthorizeAsync(browser, "/orleans/"));
        Assert.Equal("/sign-in?failed=true", callback.Headers.Location!.OriginalString);
    }

    /// <summary>Has the provider authorize a browser's user.</summary>
    /// <returns>The address that the provider sends the browser back to.</returns>
    private static async Task<string> AuthorizeAsync(Browser browser, string page)
    {
        using var challenge = await browser.GetAsync($"/sign-in/provider?returnUrl={Uri.EscapeDataString(page)}");
        Assert.Equal(HttpStatusCode.Redirect, challenge.StatusCode);
        using var answer = await browser.GetAsync(challenge.Headers.Location!.ToString());
        return answer.Headers.Location!.ToString();
    }

    private Task<WebApplication> LaunchAsync(
        IdentityProvider provider,
        string secret = IdentityProvider.Secret) => RunningGateway.LaunchWithoutClusterAsync(
        _folder,
        $"--Authentication:OpenIdConnect:Authority={provider.Address}",
        $"--Authentication:OpenIdConnect:ClientId={IdentityProvider.Client}",
        $"--Authentication:OpenIdConnect:ClientSecret={secret}",
        $"--Authentication:KeyFolder={Path.Combine(_folder, "keys")}");
}
