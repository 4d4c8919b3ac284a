using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Antiforgery;

namespace MedMerge.Gateway.Access;

/// <summary>The page that asks a browser's user for a key.</summary>
internal static class SignInPage
{
    /// <summary>The page's HTML.</summary>
    /// <param name="returnUrl">The page to go on to.</param>
    /// <param name="problem">Why the last try failed; null where there was none.</param>
    /// <param name="hasProvider">Whether an identity provider signs users in, too.</param>
    public static string Write(AntiforgeryTokenSet tokens, string returnUrl, string? problem, bool takesKeys, bool hasProvider) => $"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>MedMerge: sign in</title>
        <link rel="stylesheet" href="/pages.css">
        </head>
        <body>
        <main>
        <h1>Sign in to MedMerge</h1>
        {(problem is null ? "" : $"<p role=\"alert\">{Encode(problem)}</p>")}
        {(takesKeys ? WriteForm(tokens, returnUrl) : "")}
        {(hasProvider ? WriteLink(returnUrl) : "")}
        {(takesKeys || hasProvider ? "" : "<p>This gateway takes tokens only, which pages can't send.</p>")}
        </main>
        </body>
        </html>

        """;

    private static string WriteForm(AntiforgeryTokenSet tokens, string returnUrl) => $"""
        <form method="post" action="{SignInPaths.Page}" class="tools">
        <input type="hidden" name="{Encode(tokens.FormFieldName)}" value="{Encode(tokens.RequestToken!)}">
        <input type="hidden" name="{SignInPaths.ReturnUrl}" value="{Encode(returnUrl)}">
        <label>Key <input name="key" type="password" autocomplete="current-password" required autofocus></label>
        <button class="primary">Sign in</button>
        </form>
        """;

    private static string WriteLink(string returnUrl)
    {
        var address = $"{SignInPaths.Provider}?{SignInPaths.ReturnUrl}={Uri.EscapeDataString(returnUrl)}";
        return $"<p><a href=\"{Encode(address)}\">Sign in with your organisation's account</a></p>";
    }

    private static string Encode(string text) => HtmlEncoder.Default.Encode(text);
}
