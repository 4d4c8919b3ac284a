using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Options;

namespace MedMerge.Gateway.Access;

/// <summary>A browser's sign-in, in a cookie that the gateway encrypts; nothing is kept on the server.</summary>
internal static class Sessions
{
    /// <summary>The authentication scheme's name.</summary>
    public const string SchemeName = CookieAuthenticationDefaults.AuthenticationScheme;

    /// <summary>How long a session lasts.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    private const string KeyFolder = "Authentication:KeyFolder";
    private const string KeyClaim = "medmerge:key";
    private const string EndClaim = "medmerge:end";

    /// <summary>
    /// Adds what encrypts cookies and forms. Gateways that share the folder <c>Authentication:KeyFolder</c> accept each other's.
    /// </summary>
    public static void AddProtection(WebApplicationBuilder builder)
    {
        var protection = builder.Services.AddDataProtection().SetApplicationName("MedMerge.Gateway");
        if (builder.Configuration[KeyFolder] is { Length: > 0 } folder)
            protection.PersistKeysToFileSystem(Directory.CreateDirectory(folder));
        builder.Services.AddAntiforgery(options =>
        {
            options.Cookie.Name = "medmerge-form";
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        });
    }

    /// <summary>Sets the scheme's options.</summary>
    public static void Apply(CookieAuthenticationOptions options)
    {
        options.Cookie.Name = "medmerge";
        options.Cookie.HttpOnly = true;
        options.Cookie.SameSite = SameSiteMode.Lax; // a link to a page from elsewhere finds its reader signed in
        options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        options.ExpireTimeSpan = Lifetime;
        options.SlidingExpiration = false;
        options.LoginPath = SignInPaths.Page;
        options.ReturnUrlParameter = SignInPaths.ReturnUrl;
        options.Events.OnRedirectToLogin = context =>
        {
            if (Requests.IsForPage(context.Request)) context.Response.Redirect(context.RedirectUri);
            else context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        };
        options.Events.OnValidatePrincipal = EndWithKeyAsync;
        options.Events.OnSigningIn = context =>
        {
            var clock = context.HttpContext.RequestServices.GetRequiredService<TimeProvider>();
            var end = (clock.GetUtcNow() + Lifetime).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
            context.Principal!.Identities.First().AddClaim(new Claim(EndClaim, end));
            return Task.CompletedTask;
        };
    }

    /// <summary>Whether a user's session goes on; for those who have none there is nothing to end.</summary>
    public static bool IsCurrent(ClaimsPrincipal user, TimeProvider time) =>
        user.FindFirst(EndClaim)?.Value is not { } end
        || time.GetUtcNow().ToUnixTimeSeconds() < long.Parse(end, CultureInfo.InvariantCulture);

    /// <summary>The user that a key signs in.</summary>
    public static ClaimsPrincipal Begin(ApiKey key)
    {
        var user = Users.Create(key.Name, key.Role, SchemeName);
        user.Identities.Single().AddClaim(new Claim(KeyClaim, Describe(key)));
        return user;
    }

    /// <summary>Ends a session whose key is no longer configured, or with another role.</summary>
    private static Task EndWithKeyAsync(CookieValidatePrincipalContext context)
    {
        if (context.Principal?.FindFirst(KeyClaim)?.Value is not { } described) return Task.CompletedTask;
        var options = context.HttpContext.RequestServices.GetRequiredService<IOptionsMonitor<ApiKeyOptions>>();
        if (!options.Get(ApiKeys.SchemeName).Keys.Any(key => Describe(key) == described)) context.RejectPrincipal();
        return Task.CompletedTask;
    }

    private static string Describe(ApiKey key) => $"{Convert.ToHexString(key.Hash)} {key.Role} {key.Name}";
}
