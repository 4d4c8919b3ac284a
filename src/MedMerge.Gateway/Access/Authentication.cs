using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;

namespace MedMerge.Gateway.Access;

/// <summary>Who may use the API: holders of an API key, of a token of an identity provider, or both.</summary>
internal static class Authentication
{
    /// <summary>Adds what the section <c>Authentication</c> of the configuration names.</summary>
    /// <returns>Whether it names any.</returns>
    /// <exception cref="InputException">It names something half.</exception>
    public static bool Add(WebApplicationBuilder builder)
    {
        var schemes = new List<string>();
        var authentication = builder.Services.AddAuthentication();
        if (ApiKeys.Read(builder.Configuration) is { Count: > 0 } keys)
        {
            authentication.AddScheme<ApiKeyOptions, ApiKeys>(ApiKeys.SchemeName, options => options.Keys = keys);
            schemes.Add(ApiKeys.SchemeName);
        }
        var (authority, audience) = (builder.Configuration["Authentication:Jwt:Authority"], builder.Configuration["Authentication:Jwt:Audience"]);
        if (string.IsNullOrEmpty(authority) != string.IsNullOrEmpty(audience))
            throw new InputException("Authentication:Jwt needs both Authority and Audience: without the one no token can be checked, without the other any of the provider's would do.");
        if (!string.IsNullOrEmpty(authority))
        {
            if (!Uri.TryCreate(authority, UriKind.Absolute, out var provider)) throw new InputException($"Authentication:Jwt:Authority is '{authority}'; it must be an https address.");
            authentication.AddJwtBearer(options =>
            {
                (options.Authority, options.Audience) = (authority, audience);
                options.RequireHttpsMetadata = !provider.IsLoopback; // keys from elsewhere must come over https
            });
            schemes.Add(JwtBearerDefaults.AuthenticationScheme);
        }
        var authorization = builder.Services.AddAuthorizationBuilder();
        if (schemes.Count > 0) authorization.SetDefaultPolicy(new AuthorizationPolicyBuilder([.. schemes]).RequireAuthenticatedUser().Build());
        return schemes.Count > 0;
    }
}
