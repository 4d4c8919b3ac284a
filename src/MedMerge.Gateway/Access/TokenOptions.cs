using Microsoft.AspNetCore.Authentication.JwtBearer;

namespace MedMerge.Gateway.Access;

/// <summary>Whose tokens are accepted: the section <c>Authentication:Jwt</c>.</summary>
/// <param name="Authority">The identity provider's address.</param>
/// <param name="Audience">What tokens must be for.</param>
/// <param name="NameClaim">The claim that names the user.</param>
/// <param name="RoleClaim">The claim that holds one of <see cref="Roles"/>, or a list of roles with one of them.</param>
internal sealed record TokenOptions(Uri Authority, string Audience, string NameClaim, string RoleClaim)
{
    private const string Section = "Authentication:Jwt";

    /// <summary>Reads the section.</summary>
    /// <returns>Null where it is empty.</returns>
    /// <exception cref="InputException">It is incomplete or invalid.</exception>
    public static TokenOptions? Read(IConfiguration configuration)
    {
        var section = configuration.GetSection(Section);
        var authority = section["Authority"];
        var audience = section["Audience"];
        if (string.IsNullOrEmpty(authority) && string.IsNullOrEmpty(audience)) return null;
        if (string.IsNullOrEmpty(authority) || string.IsNullOrEmpty(audience))
        {
            throw new InputException(
                $"{Section} needs both Authority and Audience: without Authority no token can be verified, " +
                "without Audience every token of the provider would be accepted.");
        }
        return new TokenOptions(ReadAuthority(section), audience, section["NameClaim"] ?? "sub", section["RoleClaim"] ?? "roles");
    }

    /// <summary>An identity provider's address, from the key <c>Authority</c> of a section.</summary>
    /// <exception cref="InputException">It is not an address.</exception>
    public static Uri ReadAuthority(IConfigurationSection section)
    {
        if (Uri.TryCreate(section["Authority"], UriKind.Absolute, out var provider)) return provider;
        throw new InputException($"{section.Path}:Authority is '{section["Authority"]}'; it must be an https address.");
    }

    /// <summary>Sets the scheme's options.</summary>
    public void Apply(JwtBearerOptions options)
    {
        options.Authority = Authority.OriginalString;
        options.Audience = Audience;
        options.RequireHttpsMetadata = !Authority.IsLoopback; // signing keys from another machine must come over https
        options.MapInboundClaims = false;
        options.TokenValidationParameters.NameClaimType = NameClaim;
        options.TokenValidationParameters.RoleClaimType = RoleClaim;
    }
}
