using MedMerge.Grains;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Net.Http.Headers;

namespace MedMerge.Gateway.Access;

/// <summary>
/// Who may use the gateway, and what for: holders of an API key or of an identity provider's token, and browsers whose users have signed
/// in.
/// </summary>
internal static class Authentication
{
    /// <summary>The scheme that leaves a request to the one whose credentials it carries.</summary>
    private const string ByRequest = "ByRequest";

    /// <summary>Adds the schemes that the section <c>Authentication</c> of the configuration names, and a policy for each role.</summary>
    /// <returns>Whether it names any scheme; where it doesn't, everybody is the <see cref="LocalUser"/>.</returns>
    /// <exception cref="InputException">A scheme is incomplete or invalid.</exception>
    public static bool Add(WebApplicationBuilder builder)
    {
        AddPolicies(builder.Services);
        Sessions.AddProtection(builder);
        builder.Services.AddSingleton<AuditLog>();
        var keys = ApiKey.ReadAll(builder.Configuration);
        var tokens = TokenOptions.Read(builder.Configuration);
        var provider = ProviderOptions.Read(builder.Configuration);
        if (keys.Count == 0 && tokens is null && provider is null)
        {
            builder.Services.AddAuthentication(LocalUser.SchemeName)
                .AddScheme<AuthenticationSchemeOptions, LocalUser>(LocalUser.SchemeName, null);
            return false;
        }
        var authentication = builder.Services.AddAuthentication(ByRequest)
            .AddPolicyScheme(ByRequest, null, options => options.ForwardDefaultSelector = context => Choose(context, tokens is not null))
            .AddScheme<ApiKeyOptions, ApiKeys>(ApiKeys.SchemeName, options => options.Keys = keys)
            .AddCookie(Sessions.SchemeName, Sessions.Apply);
        if (tokens is not null) authentication.AddJwtBearer(tokens.Apply);
        if (provider is null) return true;
        builder.Services.AddSingleton(provider);
        authentication.AddOpenIdConnect(ProviderOptions.SchemeName, provider.Apply);
        return true;
    }

    /// <summary>
    /// What names no policy asks for a viewer: every endpoint that changes something must name one.
    /// </summary>
    private static void AddPolicies(IServiceCollection services)
    {
        var authorization = services.AddAuthorizationBuilder();
        foreach (var role in Roles.All) authorization.AddPolicy(role, Require(role));
        authorization.SetDefaultPolicy(Require(Roles.Viewer)).SetFallbackPolicy(Require(Roles.Viewer));
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, AccessDenial>();
    }

    /// <summary>Adds what every request passes, in this order.</summary>
    /// <param name="isOpen">Whether there is no authentication.</param>
    public static void Use(WebApplication app, bool isOpen)
    {
        app.Use(isOpen ? LoopbackGuard.RefuseOtherSites : CrossSiteGuard.RefuseChangesAsync);
        app.UseAuthentication();
        app.UseAuthorization();
        app.Use(CallAsUserAsync);
    }

    /// <summary>Grains are called on behalf of the request's user.</summary>
    private static async Task CallAsUserAsync(HttpContext context, RequestDelegate next)
    {
        CallUser.Current = Users.NameOf(context.User);
        await next(context);
    }

    private static AuthorizationPolicy Require(string role) =>
        new AuthorizationPolicyBuilder().RequireAuthenticatedUser().RequireRole(Roles.AtLeast(role)).Build();

    private static string Choose(HttpContext context, bool hasTokens)
    {
        if (context.Request.Headers.ContainsKey(ApiKeys.Header)) return ApiKeys.SchemeName;
        var isToken = hasTokens && context.Request.Headers.ContainsKey(HeaderNames.Authorization);
        return isToken ? JwtBearerDefaults.AuthenticationScheme : Sessions.SchemeName;
    }
}
