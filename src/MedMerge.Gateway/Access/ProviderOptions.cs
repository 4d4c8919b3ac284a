using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace MedMerge.Gateway.Access;

/// <summary>The identity provider that signs browsers' users in: the section <c>Authentication:OpenIdConnect</c>.</summary>
/// <param name="Authority">The provider's address.</param>
/// <param name="ClientId">What the provider calls this gateway.</param>
/// <param name="ClientSecret">The gateway's password there; null for a client that has none.</param>
/// <param name="NameClaim">The claim that names the user.</param>
/// <param name="RoleClaim">The claim that holds one of <see cref="Roles"/>, or a list of roles with one of them.</param>
internal sealed record ProviderOptions(Uri Authority, string ClientId, string? ClientSecret, string NameClaim, string RoleClaim)
{
    /// <summary>The authentication scheme's name.</summary>
    public const string SchemeName = OpenIdConnectDefaults.AuthenticationScheme;

    private const string Section = "Authentication:OpenIdConnect";

    /// <summary>Reads the section.</summary>
    /// <returns>Null where it is empty.</returns>
    /// <exception cref="InputException">It is incomplete or invalid.</exception>
    public static ProviderOptions? Read(IConfiguration configuration)
    {
        var section = configuration.GetSection(Section);
        if (!section.Exists()) return null;
        if (string.IsNullOrEmpty(section["Authority"]) || section["ClientId"] is not { Length: > 0 } client)
        {
            throw new InputException(
                $"{Section} needs both Authority and ClientId: the provider's address, and what it calls this gateway.");
        }
        return new ProviderOptions(
            TokenOptions.ReadAuthority(section),
            client,
            section["ClientSecret"],
            section["NameClaim"] ?? "sub",
            section["RoleClaim"] ?? "roles");
    }

    /// <summary>
    /// Sets the scheme's options: the code flow with PKCE. The answer comes as an address, not as a form that another site posts, so that
    /// its cookies need not be sent with other sites' requests.
    /// </summary>
    public void Apply(OpenIdConnectOptions options)
    {
        options.Authority = Authority.OriginalString;
        options.RequireHttpsMetadata = !Authority.IsLoopback;
        options.ClientId = ClientId;
        options.ClientSecret = ClientSecret;
        options.SignInScheme = Sessions.SchemeName;
        options.ResponseType = OpenIdConnectResponseType.Code;
        options.ResponseMode = OpenIdConnectResponseMode.Query;
        options.UsePkce = true;
        options.CallbackPath = SignInPaths.Callback;
        options.MapInboundClaims = false;
        options.DisableTelemetry = true;
        options.TokenValidationParameters.NameClaimType = NameClaim;
        options.TokenValidationParameters.RoleClaimType = RoleClaim;
        foreach (var cookie in new[] { options.CorrelationCookie, options.NonceCookie })
        {
            cookie.SameSite = SameSiteMode.Lax;
            cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        }
        options.Events.OnTokenValidated = KeepNameAndRoleAsync;
        options.Events.OnRemoteFailure = TellFailureAsync;
    }

    /// <summary>The cookie holds the name and the role alone.</summary>
    private static Task KeepNameAndRoleAsync(TokenValidatedContext context)
    {
        var user = context.Principal!;
        context.Principal = Users.Create(Users.NameOf(user)!, Users.RoleOf(user), Sessions.SchemeName);
        context.Properties!.ExpiresUtc = context.Options.TimeProvider!.GetUtcNow() + Sessions.Lifetime;
        return Task.CompletedTask;
    }

    private static Task TellFailureAsync(RemoteFailureContext context)
    {
        context.Response.Redirect($"{SignInPaths.Page}?failed=true");
        context.HandleResponse();
        return Task.CompletedTask;
    }
}
