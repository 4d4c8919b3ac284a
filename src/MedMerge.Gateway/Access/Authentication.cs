using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;

namespace MedMerge.Gateway.Access;

/// <summary>Who may use the API: holders of an API key, of an identity provider's token, or both.</summary>
internal static class Authentication
{
    private const string Authority = "Authentication:Jwt:Authority";
    private const string Audience = "Authentication:Jwt:Audience";

    /// <summary>Adds the schemes that the section <c>Authentication</c> of the configuration names.</summary>
    /// <returns>Whether it names any.</returns>
    /// <exception cref="InputException">A scheme is incomplete or invalid.</exception>
    public static bool Add(WebApplicationBuilder builder)
    {
        var schemes = new List<string>();
        var authentication = builder.Services.AddAuthentication();
        if (ApiKeys.Read(builder.Configuration) is { Count: > 0 } keys)
        {
            authentication.AddScheme<ApiKeyOptions, ApiKeys>(ApiKeys.SchemeName, options => options.Keys = keys);
            schemes.Add(ApiKeys.SchemeName);
        }
        if (AddTokens(authentication, builder.Configuration)) schemes.Add(JwtBearerDefaults.AuthenticationScheme);

        var authorization = builder.Services.AddAuthorizationBuilder();
        if (schemes.Count == 0) return false;
        var authenticated = new AuthorizationPolicyBuilder([.. schemes]).RequireAuthenticatedUser().Build();
        authorization.SetDefaultPolicy(authenticated).SetFallbackPolicy(authenticated);
        return true;
    }

    private static bool AddTokens(AuthenticationBuilder authentication, ConfigurationManager configuration)
    {
        var authority = configuration[Authority];
        var audience = configuration[Audience];
        if (string.IsNullOrEmpty(authority) && string.IsNullOrEmpty(audience)) return false;
        if (string.IsNullOrEmpty(authority) || string.IsNullOrEmpty(audience))
        {
            throw new InputException(
                "Authentication:Jwt needs both Authority and Audience: without Authority no token can be verified, " +
                "without Audience every token of the provider would be accepted.");
        }
        if (!Uri.TryCreate(authority, UriKind.Absolute, out var provider))
            throw new InputException($"{Authority} is '{authority}'; it must be an https address.");
        authentication.AddJwtBearer(options =>
        {
            options.Authority = authority;
            options.Audience = audience;
            options.RequireHttpsMetadata = !provider.IsLoopback; // signing keys from another machine must come over https
        });
        return true;
    }
}
