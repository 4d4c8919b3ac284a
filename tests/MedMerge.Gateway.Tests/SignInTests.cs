using System.Net;
using MedMerge.Gateway.Access;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Gateway.Tests;

/// <summary>Signing browsers in by key, what a session may do, and what other sites' pages may not.</summary>
public sealed class SignInTests : IDisposable
{
    private const string Key = "a key";

    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-gateway-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("/orleans/")]
    [InlineData("/api/v1/sweeps?limit=3")]
    public async Task A_browser_without_a_session_is_sent_to_sign_in_and_back(string page)
    {
        await using var app = await LaunchAsync(Roles.Operator);
        using var browser = new Browser(app);
        using var sent = await browser.GetAsync(page);
        Assert.Equal(HttpStatusCode.Redirect, sent.StatusCode);
        Assert.Equal($"/sign-in?returnUrl={Uri.EscapeDataString(page)}", sent.Headers.Location!.PathAndQuery);

        using var signedIn = await browser.SignInAsync(Key, page);
        Assert.Equal(HttpStatusCode.Redirect, signedIn.StatusCode);
        Assert.Equal(page, signedIn.Headers.Location!.OriginalString);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync(page)).StatusCode);

        using var signedOut = await browser.PostFormAsync("/sign-out");
        Assert.Equal(HttpStatusCode.Redirect, signedOut.StatusCode);
        Assert.Equal(HttpStatusCode.Redirect, (await browser.GetAsync(page)).StatusCode);
    }

    [Fact]
    public async Task A_program_without_a_key_gets_401_instead_of_a_page()
    {
        await using var app = await LaunchAsync(Roles.Operator);
        using var browser = new Browser(app);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/api/v1/sweeps", "application/json")).StatusCode);
    }

    [Fact]
    public async Task A_session_ends_after_twelve_hours_also_for_a_page_that_is_open()
    {
        await using var app = await LaunchAsync(Roles.Operator);
        using var browser = new Browser(app);
        using var signedIn = await browser.SignInAsync(Key);
        var cookie = browser.Cookies.GetAllCookies().Single(cookie => cookie.Name == "medmerge").Value;
        var options = app.Services.GetRequiredService<IOptionsMonitor<CookieAuthenticationOptions>>().Get(Sessions.SchemeName);
        var user = options.TicketDataFormat.Unprotect(cookie)!.Principal;
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        time.Advance(TimeSpan.FromHours(11.9));
        Assert.True(Sessions.IsCurrent(user, time));
        time.Advance(TimeSpan.FromHours(0.2));
        Assert.False(Sessions.IsCurrent(user, time));
        Assert.True(Sessions.IsCurrent(Users.Create("without a session", Roles.Viewer, "Test"), time));
    }

    [Fact]
    public async Task A_wrong_key_signs_nobody_in()
    {
        await using var app = await LaunchAsync(Roles.Operator);
        using var browser = new Browser(app);
        using var refused = await browser.SignInAsync("another key");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Contains("The key is not known.", await refused.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        Assert.DoesNotContain(browser.Cookies.GetAllCookies(), cookie => cookie.Name == "medmerge");
    }

    [Theory]
    [InlineData("https://example.org/")]
    [InlineData("//example.org/")]
    [InlineData("/\\example.org/")]
    public async Task Signing_in_leads_to_no_other_site(string returnUrl)
    {
        await using var app = await LaunchAsync(Roles.Operator);
        using var browser = new Browser(app);
        using var signedIn = await browser.SignInAsync(Key, returnUrl);
        Assert.Equal("/", signedIn.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task A_form_without_the_pages_token_is_refused()
    {
        await using var app = await LaunchAsync(Roles.Operator);
        using var browser = new Browser(app);
        var form = new FormUrlEncodedContent([KeyValuePair.Create("key", Key)]);
        using var refused = await browser.SendAsync(HttpMethod.Post, "/sign-in", form);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task The_sessions_cookie_is_out_of_reach_of_scripts_and_other_sites_forms()
    {
        await using var app = await LaunchAsync(Roles.Viewer);
        using var browser = new Browser(app);
        using var signedIn = await browser.SignInAsync(Key);
        var cookie = signedIn.Headers.GetValues("Set-Cookie").Single(value => value.StartsWith("medmerge=", StringComparison.Ordinal));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Origin", "https://example.org")]
    [InlineData("Origin", "null")]
    public async Task A_session_changes_nothing_at_another_sites_request(string header, string value)
    {
        await using var app = await LaunchAsync(Roles.Submitter);
        using var browser = new Browser(app);
        (await browser.SignInAsync(Key)).Dispose();
        using var refused = await browser.SendAsync(HttpMethod.Post, "/api/v1/sweeps/x/pause", null, (header, value));
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        using var own = await browser.SendAsync(HttpMethod.Post, "/api/v1/sweeps/x/pause", null, ("Sec-Fetch-Site", "same-origin"));
        Assert.Equal(HttpStatusCode.NotFound, own.StatusCode);
    }

    [Fact]
    public async Task A_session_has_its_keys_role_and_ends_with_it()
    {
        CookieContainer cookies;
        await using (var app = await LaunchAsync(Roles.Viewer))
        {
            using var browser = new Browser(app);
            (await browser.SignInAsync(Key)).Dispose();
            Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/v1/sweeps")).StatusCode);
            Assert.Equal(HttpStatusCode.Forbidden, (await browser.GetAsync("/orleans/")).StatusCode);
            cookies = browser.Cookies;
        }
        Assert.Equal(HttpStatusCode.OK, await GetAgainAsync(Roles.Viewer)); // a restart with the same key
        Assert.Equal(HttpStatusCode.Redirect, await GetAgainAsync(Roles.Operator));

        async Task<HttpStatusCode> GetAgainAsync(string role)
        {
            await using var app = await LaunchAsync(role);
            using var browser = new Browser(app);
            browser.Cookies.Add(cookies.GetAllCookies());
            return (await browser.GetAsync("/api/v1/sweeps")).StatusCode;
        }
    }

    [Theory]
    [InlineData("/sign-in")]
    [InlineData("/health/live")]
    [InlineData("/api/v1/nothing")]
    [InlineData("/api/v1/nodes")]
    public async Task Every_response_keeps_browsers_from_guessing_types_framing_and_foreign_scripts(string path)
    {
        await using var app = await LaunchAsync(Roles.Viewer);
        using var browser = new Browser(app);
        using var response = await browser.SendAsync(HttpMethod.Get, path, null, ("X-Api-Key", Key));
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("DENY", response.Headers.GetValues("X-Frame-Options").Single());
        var policy = response.Headers.GetValues("Content-Security-Policy").Single().Split("; ");
        Assert.Contains("default-src 'self'", policy);
        Assert.Contains("frame-ancestors 'none'", policy);
        Assert.DoesNotContain(policy, directive => directive.StartsWith("script-src", StringComparison.Ordinal));
    }

    private Task<WebApplication> LaunchAsync(string role) => RunningGateway.LaunchWithoutClusterAsync(
        _folder,
        $"--Authentication:ApiKeys:me:Hash={RunningGateway.Hash(Key)}",
        $"--Authentication:ApiKeys:me:Role={role}",
        $"--Authentication:KeyFolder={Path.Combine(_folder, "keys")}");
}
