using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;

namespace MedMerge.Gateway.Tests;

/// <summary>A browser: it keeps cookies, asks for pages, and does not follow redirects by itself.</summary>
internal sealed partial class Browser : IDisposable
{
    private readonly HttpClient _client;

    public Browser(WebApplication gateway)
    {
        var handler = new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = Cookies };
        _client = new HttpClient(handler) { BaseAddress = new Uri(gateway.Urls.Single()) };
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public CookieContainer Cookies { get; } = new();

    public Uri Address => _client.BaseAddress!;

    public Task<HttpResponseMessage> GetAsync(string path, string accept = "text/html,*/*") =>
        SendAsync(HttpMethod.Get, path, null, ("Accept", accept));

    public Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        HttpContent? content,
        params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path) { Content = content };
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return _client.SendAsync(request, Cancellation);
    }

    /// <summary>Fills in the form of the sign-in page.</summary>
    public async Task<HttpResponseMessage> SignInAsync(string key, string returnUrl = "/") =>
        await PostFormAsync("/sign-in", ("key", key), ("returnUrl", returnUrl));

    /// <summary>Posts a form with the token that the sign-in page has.</summary>
    public async Task<HttpResponseMessage> PostFormAsync(string path, params (string Name, string Value)[] fields)
    {
        using var page = await GetAsync("/sign-in");
        var token = TokenPattern().Match(await page.Content.ReadAsStringAsync(Cancellation));
        var form = fields.Append((Name: "__RequestVerificationToken", Value: WebUtility.HtmlDecode(token.Groups[1].Value)));
        var content = new FormUrlEncodedContent(form.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        return await SendAsync(HttpMethod.Post, path, content, ("Origin", Address.GetLeftPart(UriPartial.Authority)));
    }

    public void Dispose() => _client.Dispose();

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]*)\"")]
    private static partial Regex TokenPattern();
}
