using System.Net.Mime;
using System.Text;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace MedMerge.Gateway.Access;

/// <summary>Signs browsers in and out, by key or by an identity provider.</summary>
internal static class SignIn
{
    private const string Home = "/";

    /// <summary>Maps the page, and what its forms post to.</summary>
    public static void Map(IEndpointRouteBuilder app)
    {
        var anybody = app.MapGroup("").AllowAnonymous().ExcludeFromDescription();
        anybody.MapGet(SignInPaths.Page, (HttpContext context, string? returnUrl, bool failed = false) =>
            Show(context, returnUrl, failed ? "The identity provider did not sign you in." : null, StatusCodes.Status200OK));
        anybody.MapPost(SignInPaths.Page, PostKeyAsync);
        anybody.MapPost(SignInPaths.SignOut, PostSignOutAsync);
        if (app.ServiceProvider.GetService<ProviderOptions>() is null) return;
        anybody.MapGet(SignInPaths.Provider, (string? returnUrl) => TypedResults.Challenge(
            new AuthenticationProperties { RedirectUri = CheckLocal(returnUrl) },
            [ProviderOptions.SchemeName]));
    }

    private static async Task<IResult> PostKeyAsync(HttpContext context, IAntiforgery antiforgery, IOptionsMonitor<ApiKeyOptions> options)
    {
        if (!await antiforgery.IsRequestValidAsync(context)) return RefuseForm();
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var returnUrl = form[SignInPaths.ReturnUrl].ToString();
        if (options.Get(ApiKeys.SchemeName).Find(form["key"].ToString().Trim()) is not { } key)
            return Show(context, returnUrl, "The key is not known.", StatusCodes.Status401Unauthorized);
        var user = Sessions.Begin(key);
        await context.SignInAsync(Sessions.SchemeName, user);
        context.User = user; // for the audit log
        return TypedResults.LocalRedirect(CheckLocal(returnUrl));
    }

    private static async Task<IResult> PostSignOutAsync(HttpContext context, IAntiforgery antiforgery)
    {
        if (!await antiforgery.IsRequestValidAsync(context)) return RefuseForm();
        await context.SignOutAsync(Sessions.SchemeName);
        return TypedResults.LocalRedirect(SignInPaths.Page);
    }

    private static ContentHttpResult Show(HttpContext context, string? returnUrl, string? problem, int status)
    {
        var services = context.RequestServices;
        var page = SignInPage.Write(
            services.GetRequiredService<IAntiforgery>().GetAndStoreTokens(context),
            CheckLocal(returnUrl),
            problem,
            takesKeys: services.GetRequiredService<IOptionsMonitor<ApiKeyOptions>>().Get(ApiKeys.SchemeName).Keys.Count > 0,
            hasProvider: services.GetService<ProviderOptions>() is not null);
        return TypedResults.Content(page, MediaTypeNames.Text.Html, Encoding.UTF8, status);
    }

    /// <summary>The page to go on to; the first page where the address leads elsewhere.</summary>
    private static string CheckLocal(string? returnUrl) => RedirectHttpResult.IsLocalUrl(returnUrl) ? returnUrl! : Home;

    private static ProblemHttpResult RefuseForm() => TypedResults.Problem(
        "The form is not from this gateway, or is too old; open the page again.",
        statusCode: StatusCodes.Status400BadRequest);
}
