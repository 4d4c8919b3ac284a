using MedMerge.Data;
using MedMerge.Data.Formats;

namespace MedMerge.Tests.Data.Formats;

public class PhantomsTests
{
    /// <summary>Every result on synthetic images rests on these bytes.</summary>
    [Theory]
    [InlineData("lesions", "761add5aa3b332b50f7a10b23cff5170153499e357fbda6849cfce96396829a8")]
    [InlineData("opacities", "1dbcdda226ef6cf7543f58ca24e1d418ecee86278544c7d65697c46324624d94")]
    [InlineData("cells", "7ebc37f8c3a8057bc567c3c95703c542588ef4d179fad3e73a4595d04d7d7930")]
    [InlineData("vessels", "9ffaf8cc6e405fe55123fd28138264fd27c0fc7ae71ff5946617367e0094af33")]
    public void A_phantom_is_drawn_the_same_as_ever(string task, string hash) => Assert.Equal(hash, Phantoms.Create(task).ContentHash);
}
